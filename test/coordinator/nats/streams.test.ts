/** Replicas: three where a cluster has three servers, however late the third comes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { ensureStream, gathered, journalConfig } from "../../../coordinator/nats/streams.ts";
import { journalStream } from "../../../proto/cluster.ts";
import { connectNats } from "../../../proto/nats.ts";
import { serversOf } from "../../../proto/natsreplicas.ts";
import { startNatsCluster } from "../../natsserver.ts";
import { until } from "./numbers.ts";
import { cluster } from "./storeof.ts";

test("a third server that starts late is waited for; a stream that has one replica gets three", {
  timeout: 120_000,
}, async (t) => {
  const servers = await startNatsCluster(t, 2);
  const nats = await connectNats({ urls: [servers[0]!.url], name: "test", deadlineMs: 30_000 });
  t.after(() => nats.close());
  const manager = await nats.connection.jetstreamManager({ checkAPI: false });
  const replicas = async () => (await manager.streams.info(journalStream(cluster))).config.num_replicas;
  const told: string[] = [];
  const options = { signal: new AbortController().signal, warn: (why: string) => void told.push(why) };
  const made = ensureStream(nats, journalConfig(cluster), { ...options, gatheredMs: gathered() + 60_000 });
  await sleep(1_500);
  await servers[2]!.restart();
  await made;
  assert.deepEqual([await replicas(), told], [3, []]);

  // As it was made where the third came later still.
  await manager.streams.update(journalStream(cluster), { num_replicas: 1 });
  await until(() => serversOf(nats) >= 3);
  await ensureStream(nats, journalConfig(cluster), { ...options, gatheredMs: gathered() });
  assert.deepEqual([await replicas(), told], [3, []]);
});
