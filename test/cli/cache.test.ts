import assert from "node:assert/strict";
import { openSync, readdirSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { recordBytes } from "../../core/caching.ts";
import { storeId } from "../../worker/cache/key.ts";
import { recordsFile, Store } from "../../worker/cache/store.ts";
import { makeStore } from "../../worker/cache/stores.ts";
import { limbeck } from "../e2e/limbeck.ts";
import { key, logitsOf, scratchFolder } from "../worker/cache/samples.ts";

const other = { ...key, teacher: "t2", views: null, period: 1 };

/** A folder with a store of three records, and an empty one. */
async function filled(t: TestContext): Promise<string> {
  const dir = scratchFolder(t);
  await makeStore(dir, other, 2 ** 30);
  await makeStore(dir, key, 2 ** 30);
  const store = new Store(join(dir, storeId(key)), key);
  const ids = Uint32Array.of(3, 4, 5);
  store.write(ids, 1, logitsOf(ids, 1));
  store.close();
  return dir;
}

test("ls shows each store with its key and what is in it, also as JSON", async (t) => {
  const dir = await filled(t);
  const { code, stdout } = await limbeck("cache", "ls", "--dir", dir);
  assert.equal(code, 0);
  assert.match(
    stdout,
    /t1 .*d1 .*shift 2, flip true, seed 3, 4 epochs .*float16, 7 classes, lanes of 32 .*\b3 .*4,000/,
  );
  assert.match(stdout, /t2 .*d1 .*plain .*\b0 .*1,000/);
  const json = JSON.parse((await limbeck("cache", "ls", "--dir", dir, "-o", "json")).stdout);
  const records = Object.fromEntries(json.map((store: { id: string; records: number }) => [store.id, store.records]));
  assert.deepEqual(records, { [storeId(key)]: 3, [storeId(other)]: 0 });
});

test("verify finds all well, or names each damaged record and exits 1", async (t) => {
  const dir = await filled(t);
  const well = await limbeck("cache", "verify", "--dir", dir);
  assert.equal(well.code, 0, well.stderr);
  assert.match(well.stdout, /3 of 4,000 records, all whole/);
  const place = (1 * key.examples + 4) * recordBytes(key);
  writeSync(openSync(join(dir, storeId(key), recordsFile), "r+"), "!", place + 15);
  const damaged = await limbeck("cache", "verify", "--dir", dir);
  assert.equal(damaged.code, 1);
  assert.match(damaged.stdout, /2 of 4,000 records, 1 damaged: example 4 view 1$/m);
  assert.match(damaged.stderr, new RegExp(`^limbeck: damage in ${storeId(key).slice(0, 12)}`));
  assert.equal(
    (await limbeck("cache", "verify", storeId(other).slice(0, 8), "--dir", dir)).code,
    0,
    "only the one named",
  );
  writeFileSync(join(dir, storeId(other), "store.json"), "{}");
  const header = await limbeck("cache", "verify", storeId(other), "--dir", dir);
  assert.equal(header.code, 1);
  assert.match(header.stdout, /its header, store\.json in .*, is damaged/);
});

test("rm removes the store that is named, or all, and asks for one of the two", async (t) => {
  const dir = await filled(t);
  for (const args of [[], ["x", "--all"], ["nothing-begins-so"]]) {
    const refused = await limbeck("cache", "rm", ...args, "--dir", dir);
    assert.equal(refused.code, 2);
    assert.match(refused.stderr, /^limbeck: .*limbeck cache ls/);
  }
  assert.equal((await limbeck("cache", "rm", storeId(key).slice(0, 6), "--dir", dir)).code, 0);
  assert.deepEqual(readdirSync(dir), [storeId(other)]);
  assert.match((await limbeck("cache", "rm", "--all", "--dir", dir)).stdout, /removed 1 store/);
  assert.deepEqual(readdirSync(dir), []);
});
