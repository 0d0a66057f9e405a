import assert from "node:assert/strict";
import { readdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { type StoreKey, storeId } from "../../../worker/cache/key.ts";
import { Store, storeBytes } from "../../../worker/cache/store.ts";
import { findStore, listStores, makeStore, touchStore } from "../../../worker/cache/stores.ts";
import { key, logitsOf, scratchFolder } from "./samples.ts";

const bytes = storeBytes(key);
const keyOf = (teacher: string): StoreKey => ({ ...key, teacher });

/** Makes a store that was used so many minutes ago. */
async function aged(dir: string, teacher: string, minutes: number, maxBytes = 10 * bytes): Promise<string> {
  const made = await makeStore(dir, keyOf(teacher), maxBytes);
  assert.ok("folder" in made, JSON.stringify(made));
  const at = Date.now() / 1000 - 60 * minutes;
  utimesSync(join(made.folder, "store.json"), at, at);
  return made.folder;
}

const teachersIn = async (dir: string) => (await listStores(dir)).map((store) => store.key?.teacher);

test("a store is found by its key, and the folder lists what there is", async (t) => {
  const dir = join(scratchFolder(t), "deep", "cache");
  assert.equal(await findStore(dir, key), null);
  assert.deepEqual(await listStores(dir), []);
  const made = await makeStore(dir, key, bytes);
  assert.deepEqual(made, { folder: join(dir, storeId(key)) });
  assert.equal(await findStore(dir, key), join(dir, storeId(key)));
  assert.deepEqual(await makeStore(dir, key, bytes), made);
  const [entry, ...more] = await listStores(dir);
  assert.deepEqual([entry!.key, entry!.bytes, more], [key, bytes, []]);
});

test("what was used least recently makes room, and no more than is needed", async (t) => {
  const dir = scratchFolder(t);
  await aged(dir, "old", 30);
  await aged(dir, "older", 40);
  await aged(dir, "oldest", 50);
  await touchStore((await findStore(dir, keyOf("oldest")))!);
  const made = await makeStore(dir, keyOf("new"), 3 * bytes);
  assert.ok("folder" in made);
  assert.deepEqual((await teachersIn(dir)).sort(), ["new", "old", "oldest"]);
});

test("a store that would not fit is not made, and nothing is dropped for it", async (t) => {
  const dir = scratchFolder(t);
  await aged(dir, "old", 30);
  const made = await makeStore(dir, keyOf("new"), bytes - 1);
  assert.ok("why" in made);
  assert.match(made.why, /^101\.6 KiB of soft targets do not fit into .*: softTargets\.cache\.maxBytes is 101\.6 KiB$/);
  assert.deepEqual(await teachersIn(dir), ["old"]);
});

test("a store that is in use is not dropped for another", async (t) => {
  const dir = scratchFolder(t);
  const folder = await aged(dir, "busy", 30);
  await touchStore(folder);
  const made = await makeStore(dir, keyOf("new"), 2 * bytes - 1);
  assert.ok("why" in made);
  assert.match(made.why, /101\.6 KiB of 203\.1 KiB are in use$/);
  assert.deepEqual(await teachersIn(dir), ["busy"]);
});

test("a store that is dropped goes on for who has it open", async (t) => {
  const dir = scratchFolder(t);
  const store = new Store(await aged(dir, "old", 30), keyOf("old"));
  t.after(() => store.close());
  const ids = Uint32Array.of(1, 2);
  store.write(ids, 0, logitsOf(ids, 0));
  await makeStore(dir, keyOf("new"), bytes);
  assert.deepEqual(await teachersIn(dir), ["new"]);
  store.write(Uint32Array.of(3), 0, logitsOf(Uint32Array.of(3), 0));
  assert.equal(store.read(Uint32Array.of(1, 2, 3), 0).missing.length, 0);
});

for (const [what, damage] of Object.entries({
  cut: (text: string) => text.slice(0, 20),
  "of another key": (text: string) => text.replace('"t1"', '"t2"'),
  "no text": () => "\u0000\u0001",
})) {
  test(`a store whose header is ${what} is not used, listed without a key, and made anew`, async (t) => {
    const dir = scratchFolder(t);
    await makeStore(dir, key, bytes);
    const header = join(dir, storeId(key), "store.json");
    writeFileSync(header, damage(readFileSync(header, "utf8")));
    assert.equal(await findStore(dir, key), null);
    assert.equal((await listStores(dir))[0]!.key, null);
    assert.ok("folder" in (await makeStore(dir, key, bytes)));
    assert.deepEqual(await teachersIn(dir), ["t1"]);
  });
}

test("of many that make stores at once each gets one, within the bound, and nothing is left beside them", async (t) => {
  const dir = scratchFolder(t);
  for (const teacher of ["a", "b", "c"]) await aged(dir, teacher, 30);
  const made = await Promise.all(["x", "y", "x", "z", "y"].map((teacher) => makeStore(dir, keyOf(teacher), 3 * bytes)));
  assert.ok(made.every((each) => "folder" in each));
  assert.deepEqual((await teachersIn(dir)).sort(), ["x", "y", "z"]);
  assert.deepEqual(readdirSync(dir).sort(), ["x", "y", "z"].map((teacher) => storeId(keyOf(teacher))).sort());
});
