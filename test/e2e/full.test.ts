/** A service of real processes whose JetStream is full for a while: it takes small records, and no large ones. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { journalStream, usualCluster } from "../../proto/cluster.ts";
import { connectNats } from "../../proto/nats.ts";
import { undisturbed, until } from "../chaos/chaos.ts";
import { serviceJob } from "../chaos/service/job.ts";
import { Service } from "../chaos/service/service.ts";
import { history } from "../chaos/service/trial.ts";
import { scratchFolder } from "./limbeck.ts";

const deadlineMs = 60_000;
/** More than it takes to say that a job has failed, and than leaders that come and go write; less than a stage's answers. */
const roomBytes = 4_000;

test("a record that finds the store full ends the coordinator and no job: with room, the next goes on to the same bits (L1)", {
  timeout: 120_000,
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
  await until(isOver, deadlineMs);

  const entry = (await service.list()).find((each) => each.id === id)!;
  assert.equal(entry.state, "done", entry.why);
  const report = service.report(id)!;
  assert.equal(report.student.weightsSha256, (await running).student.weightsSha256);
  assert.deepEqual([report.ledger.duplicated, report.ledger.missing], [0, 0]);
  assert.deepEqual([...new Set(service.surprises)], ["c1 ended: code 1"]);
  const { wrong, twice } = await history(service, id);
  assert.deepEqual([wrong, twice], [[], []]);
});
