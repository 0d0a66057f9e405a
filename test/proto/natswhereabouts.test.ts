/** Finding the leader by the lease in a real NATS: as it is, and after every change. */
import assert from "node:assert/strict";
import { EventEmitter, on, once } from "node:events";
import { test } from "node:test";
import { leaseWhereabouts } from "../../proto/natswhereabouts.ts";
import { cluster, storeOn } from "../coordinator/nats/storeof.ts";
import { startNats } from "../natsserver.ts";

test("the leader is known, and the next one as soon as it leads", { timeout: 60_000 }, async (t) => {
  const { url } = await startNats(t);
  const where = leaseWhereabouts({ urls: [url], name: "test" }, cluster);
  t.after(() => where.close());
  await where.ready;
  assert.equal(where.address(), "", "nobody ever led");
  const news = new EventEmitter();
  const moves = on(news, "moved", { signal: AbortSignal.timeout(30_000) });
  const moved = async () => (await moves.next()).value[0] as string;
  const unheard = where.onMoved((address) => news.emit("moved", address));

  const [a, b] = [await storeOn(t, [url]), await storeOn(t, [url])];
  const first = await a.lead("a");
  assert.equal(await moved(), "a:1");
  assert.equal(where.address(), "a:1");
  const late = leaseWhereabouts({ urls: [url], name: "late" }, cluster);
  await late.ready;
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

test("a cluster of no such name, and what is no URL, are refused before NATS is asked", () => {
  const nats = { urls: ["nats://127.0.0.1:1"], name: "test", deadlineMs: 0 };
  assert.throws(() => leaseWhereabouts(nats, "No Such"), { code: "usage" });
  assert.throws(() => leaseWhereabouts({ ...nats, urls: ["http://x:1"] }, cluster), { code: "usage" });
});

test("nobody is known while NATS is yet to come; closed meanwhile, it waits no more", {
  timeout: 60_000,
}, async (t) => {
  const server = await startNats(t);
  await server.kill();
  const said = new EventEmitter();
  const told = () => void said.emit("told");
  const asking = () => leaseWhereabouts({ urls: [server.url], name: "test", deadlineMs: 60_000, told }, cluster);
  const left = asking();
  await once(said, "told");
  assert.equal(left.address(), "");
  await left.close();
  await assert.rejects(left.ready, { name: "AbortError" });

  const where = asking();
  t.after(() => where.close());
  await once(said, "told");
  await server.restart();
  await where.ready;
  const { lead } = await storeOn(t, [server.url]);
  const moved = new Promise<string>((resolve) => where.onMoved(resolve));
  await lead("a");
  assert.equal(await moved, "a:1");
});
