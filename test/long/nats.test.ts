/** What of NATS takes long to see: three servers, and long journals. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { appending, assertOneWriter, type Numbered, until } from "../coordinator/nats/numbers.ts";
import { storeOn } from "../coordinator/nats/storeof.ts";
import { startNatsCluster } from "../natsserver.ts";

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
