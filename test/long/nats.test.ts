/** What of NATS takes long to see: three servers, and long journals. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { openJournalFile } from "../../coordinator/folder/journal.ts";
import type { Journal } from "../../coordinator/store.ts";
import { startContender } from "../coordinator/contenders.ts";
import { appending, assertOneWriter, type Numbered, until } from "../coordinator/nats/numbers.ts";
import { cluster, storeOn } from "../coordinator/nats/storeof.ts";
import { scratchFolder } from "../e2e/limbeck.ts";
import { startNats, startNatsCluster } from "../natsserver.ts";

test("of three servers one may be killed, also the one that leads the journal: it goes on", async (t) => {
  const servers = await startNatsCluster(t);
  const store = await storeOn(
    t,
    servers.map(({ url }) => url),
    { ttlMs: 3_000 },
  );
  const leadership = await store.lead();
  const manager = await store.nats.connection.jetstreamManager();
  for (const stream of ["KV_limbeck-test", "LIMBECK_TEST_JOURNAL", "LIMBECK_TEST_EVENTS"])
    assert.equal((await manager.streams.info(stream)).config.num_replicas, 3, stream);
  const appended = appending(leadership, await leadership.journal<Numbered>("job"));
  await until(() => appended.count() > 20);
  const { cluster: raft } = await manager.streams.info("LIMBECK_TEST_JOURNAL");
  const killedMs = performance.now();
  await servers[Number(raft!.leader!.slice(1))]!.kill();
  const before = appended.count();
  await until(() => appended.count() > before + 20);
  t.diagnostic(`appended again ${Math.round(performance.now() - killedMs)} ms after the kill`);
  const count = await appended.end();
  await leadership.resign();
  await assertOneWriter(store, count);
});

const term = (at: number) => ({
  kind: "term",
  atMs: 1_700_000_000_000 + at,
  term: at,
  stage: "distil",
  deal: [0, 4].map((firstLane) => ({ worker: `w${firstLane}`, firstLane, lanes: 4 })),
  instances: { w0: "0123456789", w4: "9876543210" },
  why: "w3 missed its heartbeat for 1.2 s",
});
const many = 100_000;

test("a journal of 100,000 entries is replayed, from JetStream and from a file", async (t) => {
  const server = await startNats(t);
  const { lead } = await storeOn(t, [server.url], { ttlMs: 10_000 });
  const leadership = await lead();
  const journal = await leadership.journal<object>("job");
  for (let at = 0; at < many; at++) await journal.append(term(at));
  const timed = async (what: string, open: () => Promise<Journal<object>>) => {
    const startMs = performance.now();
    const { records, close } = await open();
    t.diagnostic(`${what}: ${Math.round(performance.now() - startMs)} ms`);
    assert.equal(records.length, many);
    assert.deepEqual(records.at(-1), term(many - 1));
    await close();
  };
  for (let times = 0; times < 3; times++) await timed("JetStream", () => leadership.journal<object>("job"));
  const file = `${await scratchFolder(t)}/journal.jsonl`;
  const folder = await openJournalFile<object>(file);
  await folder.compact(Array.from({ length: many }, (_, at) => term(at)));
  await folder.close();
  for (let times = 0; times < 3; times++) await timed("a file", () => openJournalFile<object>(file));
  const last = await leadership.journal<object>("job");
  await last.compact(last.records);
  await timed("a snapshot in JetStream", () => leadership.journal<object>("job"));
  await leadership.resign();
});

test("the leader's process is killed ten times: another leads each time, within a few leases", async (t) => {
  const server = await startNats(t);
  const leaseMs = 3_000;
  const start = (at: number) => startContender(t, `c${at}`, "nats", server.url, cluster, String(leaseMs));
  let leader = start(0);
  await leader.said("at");
  const took: number[] = [];
  for (let kill = 1; kill <= 10; kill++) {
    const next = start(kill);
    await next.said("standby");
    const startMs = performance.now();
    leader.process.kill("SIGKILL");
    await next.said("fence");
    took.push(Math.round(performance.now() - startMs));
    leader = next;
    await leader.said("at");
  }
  t.diagnostic(`led again after ${took.join(", ")} ms`);
  for (const ms of took) assert.ok(ms < 5 * leaseMs, `${ms} ms`);
  const at = Number(leader.last("at")!.at);
  leader.process.kill("SIGKILL");
  await assertOneWriter(await storeOn(t, [server.url]), at);
});
