/** What a service of real processes has in JetStream: too much for a while, and next to nothing of jobs that are over. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { entryHeader } from "../../coordinator/nats/entry.ts";
import { idOf } from "../../coordinator/service/naming.ts";
import { journalStream, journalSubject, usualCluster } from "../../proto/cluster.ts";
import { connectNats } from "../../proto/nats.ts";
import { undisturbed, until } from "../chaos/chaos.ts";
import { serviceJob } from "../chaos/service/job.ts";
import { Service } from "../chaos/service/service.ts";
import { history } from "../chaos/service/trial.ts";
import { scratchFolder } from "../e2e/limbeck.ts";
import { startedService } from "../e2e/service.ts";
import { startNats } from "../natsserver.ts";

const deadlineMs = 60_000;
/** The same job runs undisturbed beside it. */
const jobDeadlineMs = 150_000;
/** More than it takes to say that a job has failed, and than leaders that come and go write; less than a stage's answers. */
const roomBytes = 4_000;

test("a record that finds the store full ends the coordinator and no job: with room, the next goes on to the same bits (L1)", {
  timeout: 290_000,
}, async (t) => {
  const scratch = await scratchFolder(t);
  const job = serviceJob(60, "lanes.batch=4", "dataset.limit=1000");
  const running = undisturbed(join(scratch, "undisturbed"), job.args);
  running.catch(() => {});
  const size = { natsServers: 1, coordinators: 1, students: 1, teachers: 1 } as const;
  const service = await Service.start(t, join(scratch, "service"), size);
  const id = await service.submit("full", job.yaml, deadlineMs);
  const stepped = () => service.events(id).some((event) => event.kind === "stepped" && event.stage === "distil");
  assert.ok(await until(stepped, deadlineMs), "it trains");

  const nats = await connectNats({ urls: service.natsUrls, name: "test" });
  t.after(() => nats.close());
  const { streams } = await nats.connection.jetstreamManager();
  const { state } = await streams.info(journalStream(usualCluster));
  await streams.update(journalStream(usualCluster), { max_bytes: state.bytes + roomBytes });
  assert.ok(await until(() => service.surprises.length > 0, deadlineMs), "the coordinator ends");
  await streams.update(journalStream(usualCluster), { max_bytes: -1 });
  const isOver = async () => ["done", "failed"].includes((await service.list()).find((each) => each.id === id)!.state);
  await until(isOver, jobDeadlineMs);

  const entry = (await service.list()).find((each) => each.id === id)!;
  assert.equal(entry.state, "done", entry.why);
  const report = service.report(id)!;
  assert.equal(report.student.weightsSha256, (await running).student.weightsSha256);
  assert.deepEqual([report.ledger.duplicated, report.ledger.missing], [0, 0]);
  assert.deepEqual([...new Set(service.surprises)], ["c1 ended: code 1"]);
  const { wrong, twice } = await history(service, id);
  assert.deepEqual([wrong, twice], [[], []]);
});

test("of a job that is over the journal's stream keeps its fence; its results are where they were, also for the next leader", {
  timeout: 290_000,
}, async (t) => {
  const nats = await startNats(t);
  const service = await startedService(t, 3, "--nats", nats.url);
  const settings = ["teach.epochs=1", "distil.epochs=1", "baseline=false"].flatMap((each) => ["--set", each]);
  const { code, stderr } = await service.ask("submit", "examples/smoke.yaml", "--name", "small", ...settings);
  assert.equal(code, 0, stderr);
  const id = idOf("small", 1);
  const { connection, close } = await connectNats({ urls: [nats.url], name: "test" });
  t.after(close);
  const stream = journalStream(usualCluster);
  const { streams } = await connection.jetstreamManager();
  const subject = journalSubject(usualCluster, id);
  const { state } = await streams.info(stream, { subjects_filter: subject });
  assert.deepEqual(state.subjects, { [subject]: 1 });
  const message = await streams.getMessage(stream, { last_by_subj: subject });
  assert.match(message.header.get(entryHeader), /^\d+ snapshot 1\/1$/);
  assert.equal(message.data.length, "[]".length);

  const told = async () => {
    const [listed, events, files] = await Promise.all([
      service.ask("list", "--all", "-o", "json"),
      service.ask("logs", id, "-o", "json"),
      service.ask("artifacts", id, "-o", "json"),
    ]);
    return { listed: listed.stdout, events: events.stdout, files: files.stdout };
  };
  const before = await told();
  assert.match(before.listed, /"state": ?"done"/);
  assert.match(before.events, /job-finished/);
  assert.match(before.files, /report\.json/);
  await service.restart();
  assert.deepEqual(await told(), before);
  const again = await service.ask("submit", "examples/smoke.yaml", "--name", "small", ...settings, "--no-wait");
  assert.match(again.stdout, /done/, "the same job, and done");
});
