/** How a worker process comes and goes. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { test } from "node:test";
import {
  assignTeach,
  bounded,
  foreman,
  scratchFolder,
  smokeJob,
  startBareWorker,
  startWorker,
  welcome,
} from "./foreman.ts";

test("told to stop in the middle of a stage, it says goodbye and is gone", bounded, async (t) => {
  const coordinator = await foreman(t);
  const worker = startWorker(t, coordinator.address);
  const { hello } = await coordinator.hear("hello");
  const job = smokeJob("teach.epochs=100000", "evaluation.everyEpochs=0", "workers.students=1");
  coordinator.send(welcome(job, scratchFolder(t)));
  await coordinator.hear("prepared");
  coordinator.send(assignTeach(job, 1_600_000, hello!));
  await coordinator.hear("ready");
  coordinator.send({ term: 1, begin: {}, body: "begin" });
  await coordinator.hear("progress");
  coordinator.send({ term: 1, stop: { why: "enough" }, body: "stop" });
  const { code, stderr } = await worker.ended;
  assert.equal(code, 0);
  assert.doesNotMatch(stderr, /limbeck:/);
});

test("what it fails of arrives before it goes, and is its exit code", bounded, async (t) => {
  const coordinator = await foreman(t);
  const worker = startWorker(t, coordinator.address);
  await coordinator.hear("hello");
  coordinator.send(welcome(smokeJob("dataset.classes=5"), scratchFolder(t)));
  const { failed } = await coordinator.hear("failed");
  assert.equal(failed!.code, "bad_data");
  assert.match(failed!.message, /label 5.*5 classes/);
  coordinator.send({ term: 0, stop: { why: "it failed" }, body: "stop" });
  const { code, stderr } = await worker.ended;
  assert.equal(code, 1);
  assert.match(stderr, /label 5/);
});

test("SIGTERM: it says that it leaves and why, and ends with code 0", bounded, async (t) => {
  const coordinator = await foreman(t);
  const worker = startWorker(t, coordinator.address);
  await coordinator.hear("hello");
  coordinator.send(welcome(smokeJob(), scratchFolder(t)));
  await coordinator.hear("heartbeat");
  worker.process.kill("SIGTERM");
  const { leaving } = await coordinator.hear("leaving");
  assert.equal(leaving!.why, "SIGTERM");
  assert.deepEqual(await worker.ended, { code: 0, stderr: "" });
});

test("SIGTERM before there is a coordinator: it goes at once", bounded, async (t) => {
  const silent = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => silent.once("listening", resolve));
  t.after(() => silent.close());
  const { port } = silent.address() as { port: number };
  const connected = new Promise((resolve) => silent.once("connection", resolve));
  const worker = startWorker(t, `127.0.0.1:${port}`);
  await connected;
  worker.process.kill("SIGTERM");
  assert.deepEqual(await worker.ended, { code: 0, stderr: "" });
});

test("started by hand it gets the environment it needs, and passes signals and exit code on", bounded, async (t) => {
  const coordinator = await foreman(t);
  const worker = startBareWorker(t, {}, ["--coordinator", coordinator.address]);
  const { hello } = await coordinator.hear("hello");
  assert.notEqual(hello!.pid, worker.process.pid);
  assert.match(readFileSync(`/proc/${hello!.pid}/environ`, "latin1"), /\bMALLOC_MMAP_THRESHOLD_=/);
  worker.process.kill("SIGTERM");
  await coordinator.hear("leaving");
  assert.equal((await worker.ended).code, 0);

  const busy = startBareWorker(t, {}, ["--coordinator", coordinator.address, "--listen", coordinator.address]);
  const { code, stderr } = await busy.ended;
  assert.equal(code, 1);
  assert.match(stderr, /^limbeck: port \d+ on 127\.0\.0\.1 is busy/m);
});

test("with that environment it is one process", bounded, async (t) => {
  const coordinator = await foreman(t);
  const worker = startWorker(t, coordinator.address);
  const { hello } = await coordinator.hear("hello");
  assert.equal(hello!.pid, worker.process.pid);
});
