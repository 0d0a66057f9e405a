import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { SoftTargetCache } from "../../../worker/cache/cache.ts";
import type { CacheSettings } from "../../../worker/cache/protocol.ts";
import { storeBytes } from "../../../worker/cache/store.ts";
import { findStore, listStores } from "../../../worker/cache/stores.ts";
import { key, logitsOf, scratchFolder } from "./samples.ts";

const ids = Uint32Array.of(9, 0, 512);

/** A cache and what it says it cannot do. */
function open(t: TestContext, dir: string, changes: Partial<CacheSettings> = {}) {
  const troubles: string[] = [];
  const settings = { dir, maxBytes: 2 ** 30, key, ...changes };
  const cache = new SoftTargetCache(settings, (why) => troubles.push(why));
  t.after(() => cache.close());
  return { cache, troubles };
}

test("what is kept is found by the next one, whole, and by the key it was kept for", async (t) => {
  const dir = scratchFolder(t);
  const first = open(t, dir);
  assert.deepEqual([...(await first.cache.lookUp(ids, 1)).missing], [0, 1, 2]);
  assert.equal(await findStore(dir, key), null, "nothing is made for who only asks");
  first.cache.keep(ids, 1, logitsOf(ids, 1));
  await first.cache.close();
  const { cache, troubles } = open(t, dir);
  assert.deepEqual(await cache.lookUp(ids, 1), {
    ...{ kind: "found", id: 0 },
    logits: logitsOf(ids, 1),
    missing: new Uint32Array(0),
  });
  assert.equal((await cache.lookUp(ids, 2)).missing.length, 3);
  assert.deepEqual([...first.troubles, ...troubles], []);
});

test("two caches at once find what the other keeps", async (t) => {
  const dir = scratchFolder(t);
  const [one, other] = [open(t, dir).cache, open(t, dir).cache];
  one.keep(ids.subarray(0, 2), 0, logitsOf(ids.subarray(0, 2), 0));
  other.keep(ids.subarray(2), 0, logitsOf(ids.subarray(2), 0));
  await one.close();
  await other.close();
  const { logits, missing } = await open(t, dir).cache.lookUp(ids, 0);
  assert.deepEqual([logits, [...missing]], [logitsOf(ids, 0), []]);
});

test("a store that does not fit is not made: everything is missing, and it is said once why", async (t) => {
  const dir = scratchFolder(t);
  const { cache, troubles } = open(t, dir, { maxBytes: storeBytes(key) - 1 });
  for (let time = 0; time < 3; time++) cache.keep(ids, 0, logitsOf(ids, 0));
  assert.equal((await cache.lookUp(ids, 0)).missing.length, 3);
  await cache.close();
  assert.equal(troubles.length, 1);
  assert.match(troubles[0]!, /^no soft targets are cached from now on: .* do not fit into .*maxBytes/);
  assert.deepEqual(await listStores(dir), []);
});

test("a folder that cannot be written is named, and fails nobody", async (t) => {
  const file = join(scratchFolder(t), "a-file");
  writeFileSync(file, "");
  const { cache, troubles } = open(t, join(file, "cache"));
  assert.equal((await cache.lookUp(ids, 0)).missing.length, 3);
  cache.keep(ids, 0, logitsOf(ids, 0));
  await cache.close();
  assert.equal(troubles.length, 1);
  assert.match(troubles[0]!, /a-file.*a part of its path is a file/);
  assert.equal(readFileSync(file, "utf8"), "");
});

test("logits that the format cannot hold are missing each time, and it is said what would help", async (t) => {
  const { cache, troubles } = open(t, scratchFolder(t));
  const logits = logitsOf(ids, 0);
  logits[key.classes] = 1e6;
  cache.keep(ids, 0, logits.slice());
  cache.keep(ids, 0, logits.slice());
  await cache.close();
  assert.equal(troubles.length, 1);
  assert.match(troubles[0]!, /float16 cannot hold.*softTargets\.format: float32/);
});

test("one that is closed answers that all is missing", async (t) => {
  const { cache, troubles } = open(t, scratchFolder(t));
  await cache.close();
  cache.keep(ids, 0, logitsOf(ids, 0));
  assert.equal((await cache.lookUp(ids, 0)).missing.length, 3);
  assert.deepEqual(troubles, []);
});
