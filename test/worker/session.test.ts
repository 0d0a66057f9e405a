/** The session of a worker with its coordinator, over real gRPC between real processes. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { assignTeach, foreman, scratchFolder, smokeJob, startWorker, welcome } from "./foreman.ts";

const heartbeatMs = 10;
/** It may try three times, each with an engine to load, on a machine that may have much to do. */
const bounded = { timeout: 180_000 };

test("the session answers while a long step computes", bounded, async (t) => {
  // Another test may have the core for a moment; a thread that computes itself would be silent for all of every step.
  const longest: number[] = [];
  while (longest.length < 3 && !longest.some((share) => share < 0.5)) longest.push(await longestSilence(t));
  assert.ok(Math.min(...longest) < 0.5, `silent for ${longest.map((share) => share.toFixed(2)).join(", ")} of a step`);
});

/** Of a worker while it computes a step of over half a second; a share of that. */
async function longestSilence(t: TestContext): Promise<number> {
  const coordinator = await foreman(t);
  const worker = startWorker(t, coordinator.address);
  const { hello } = await coordinator.hear("hello");
  const widths = "teacher={kind: mlp, widths: [2048, 2048]}";
  // Of the second step nothing is waited for; after the last one the weights would be hashed and saved.
  const twoSteps = [
    "lanes.count=1",
    "lanes.batch=2000",
    "workers.students=1",
    "teach.epochs=2",
    "evaluation.everyEpochs=0",
  ];
  const job = smokeJob(widths, ...twoSteps);
  coordinator.send(welcome(job, scratchFolder(t), heartbeatMs));
  await coordinator.hear("prepared");
  coordinator.send(assignTeach(job, 2, hello!));
  await coordinator.hear("ready");

  const begunMs = performance.now();
  coordinator.send({ term: 1, begin: {}, body: "begin" });
  const { progress } = await coordinator.hear("progress");
  const doneMs = performance.now();
  assert.ok(progress!.phases!.compute > 0.5, `the step was too short to tell: ${progress!.phases!.compute} s`);
  const beats = coordinator.heard.filter(({ message, atMs }) => message.body === "heartbeat" && atMs > begunMs);
  const timesMs = [begunMs, ...beats.map(({ atMs }) => atMs).filter((atMs) => atMs < doneMs), doneMs];
  const longestMs = Math.max(...timesMs.slice(1).map((atMs, index) => atMs - timesMs[index]!));

  coordinator.send({ term: 1, stop: { why: "enough" }, body: "stop" });
  assert.equal((await worker.ended).code, 0);
  return longestMs / (1_000 * progress!.phases!.compute);
}
