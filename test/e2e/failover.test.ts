/** A service of real processes that loses its leader, and its NATS server, in the middle of a job. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { undisturbed, until } from "../chaos/chaos.ts";
import { serviceJob } from "../chaos/service/job.ts";
import { Service } from "../chaos/service/service.ts";
import { history } from "../chaos/service/trial.ts";
import { scratchFolder } from "./limbeck.ts";

const deadlineMs = 60_000;
/** Longer than a leader decides on without an answer. */
const outageMs = 2_500;

test("a job outlives a NATS server and its leader, killed -9 one after the other: the weights of an undisturbed run, nothing decided twice (L1, L2, L3)", {
  timeout: 120_000,
}, async (t) => {
  const scratch = await scratchFolder(t);
  const job = serviceJob(100, "lanes.batch=4", "dataset.limit=1000");
  const running = undisturbed(join(scratch, "undisturbed"), job.args);
  running.catch(() => {});
  const size = { natsServers: 1, coordinators: 2, students: 2, teachers: 1 } as const;
  const service = await Service.open(t, join(scratch, "service"), size);
  const { coordinators, workers } = service;
  const [first, second] = [coordinators.all[0]!, coordinators.all[1]!];
  coordinators.start(first);
  assert.ok(await until(() => coordinators.leader() !== null, deadlineMs), "the first leads");
  coordinators.start(second);
  const [lone] = workers.all;
  lone!.knows = [first];
  for (const worker of workers.all) workers.start(worker);
  const id = await service.submit("failover", job.yaml, deadlineMs);
  const stepped = () => service.events(id).some((event) => event.kind === "stepped" && event.stage === "distil");
  assert.ok(await until(stepped, deadlineMs), "it trains");

  await service.nats[0]!.kill();
  await sleep(outageMs);
  await service.nats[0]!.restart();
  const before = { ...coordinators.leader()!, killedMs: Date.now() };
  await coordinators.kill(before.coordinator);
  coordinators.start(before.coordinator);
  assert.ok(await until(() => service.report(id) !== null, deadlineMs), "it ends");

  const report = service.report(id)!;
  const expected = await running;
  assert.equal(report.student.weightsSha256, expected.student.weightsSha256);
  assert.deepEqual([report.ledger.duplicated, report.ledger.missing], [0, 0]);
  const { wrong, twice, leaders } = await history(service, id);
  assert.deepEqual([wrong, twice], [[], []]);
  assert.ok(leaders >= 2, `${leaders} leaders`);
  const isRedirected = workers.lines.some(
    ({ worker, event, atMs }) => worker.startsWith(lone!.name) && event === "redirected" && atMs > before.killedMs,
  );
  assert.ok(isRedirected, "who knew the dead one only was told of the other when that stood by again");
  assert.deepEqual(service.surprises, []);
});
