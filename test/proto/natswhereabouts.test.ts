/** Finding the leader by the lease in a real NATS: as it is, and after every change. */
import assert from "node:assert/strict";
import { EventEmitter, on } from "node:events";
import { test } from "node:test";
import { leaseWhereabouts } from "../../proto/natswhereabouts.ts";
import { cluster, storeOn } from "../coordinator/nats/storeof.ts";
import { startNats } from "../natsserver.ts";

test("the leader is known, and the next one as soon as it leads", { timeout: 60_000 }, async (t) => {
  const { url } = await startNats(t);
  const where = await leaseWhereabouts({ urls: [url], name: "test" }, cluster);
  t.after(() => where.close());
  assert.equal(where.address(), "", "nobody ever led");
  const news = new EventEmitter();
  const moves = on(news, "moved", { signal: AbortSignal.timeout(30_000) });
  const moved = async () => (await moves.next()).value[0] as string;
  const unheard = where.onMoved((address) => news.emit("moved", address));

  const [a, b] = [await storeOn(t, [url]), await storeOn(t, [url])];
  const first = await a.lead("a");
  assert.equal(await moved(), "a:1");
  assert.equal(where.address(), "a:1");
  const late = await leaseWhereabouts({ urls: [url], name: "late" }, cluster);
  assert.equal(late.address(), "a:1", "who comes later knows it from the beginning");
  await late.close();

  where.tried("b:1");
  assert.equal(where.address(), "b:1", "one that stands by knows better");
  where.tried("");
  assert.equal(where.address(), "a:1");
  await first.resign();
  await b.lead("b");
  assert.equal(await moved(), "b:1");
  assert.equal(where.address(), "b:1");
  unheard();
});

test("a cluster of no such name is refused before NATS is asked", async () => {
  const asked = leaseWhereabouts({ urls: ["nats://127.0.0.1:1"], name: "test", deadlineMs: 0 }, "No Such");
  await assert.rejects(asked, { code: "usage" });
});
