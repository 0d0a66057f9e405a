import assert from "node:assert/strict";
import { test } from "node:test";
import { checkCluster, eventSubject, journalSubject } from "../../proto/cluster.ts";
import { findLeader, followLeader } from "../../proto/leader.ts";
import { connectNats } from "../../proto/nats.ts";
import { cluster, storeOn } from "../coordinator/nats/storeof.ts";
import { startNats } from "../natsserver.ts";

test("who follows hears of each leader, through a server that comes back, and of there being none", async (t) => {
  const server = await startNats(t);
  const nats = await connectNats({ urls: [server.url], name: "worker" });
  t.after(() => nats.close());
  const ending = new AbortController();
  const heard = followLeader(nats, cluster, { signal: ending.signal });
  const next = async () => ((await heard.next()).value as { name: string } | null)?.name ?? null;
  assert.equal(await next(), null);
  const { lead } = await storeOn(t, [server.url]);
  const first = await lead("first");
  assert.equal(await next(), "first");
  const { address, fence } = (await findLeader(nats, cluster))!;
  assert.deepEqual([address, fence], ["first:1", first.fence]);
  await first.resign();
  assert.equal(await next(), null);
  await server.kill();
  await assert.rejects(findLeader(nats, cluster), { code: "unavailable" });
  await server.restart();
  const second = await lead("second");
  assert.equal(await next(), "second");
  await second.resign();
  ending.abort();
});

test("a cluster is called so that it can be part of a subject; every job has a token of its own", () => {
  for (const bad of ["", "A", "a.b", "a b", ">", "-a"]) assert.throws(() => checkCluster(bad), { code: "usage" });
  assert.equal(eventSubject("c", "mnist-7f3a", "stepped"), "limbeck.c.events.mnist-7f3a.stepped");
  const subjects = ["a.b", "a b", "a=2e=b", "a*", "ä"].map((name) => journalSubject("c", name));
  assert.equal(new Set(subjects).size, 5);
  for (const subject of subjects) assert.match(subject, /^limbeck\.c\.journal\.[\w=-]+$/);
});
