import assert from "node:assert/strict";
import { readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { recordBytes } from "../../../core/caching.ts";
import { checkStore } from "../../../worker/cache/check.ts";
import { recordsFile, Store, storeBytes } from "../../../worker/cache/store.ts";
import { key, logitsOf, scratchFolder } from "./samples.ts";

const bytes = recordBytes(key);
const placeOf = (example: number, view: number) => (view * key.examples + example) * bytes;

/** Changes bytes of the records behind a store's back. */
function tamper(folder: string, at: number, change: (record: Buffer) => void): void {
  const file = join(folder, recordsFile);
  const whole = readFileSync(file);
  change(whole.subarray(at, at + bytes));
  writeFileSync(file, whole);
}

test("what was written is found, whatever was asked for with it, and nothing else is", (t) => {
  const folder = scratchFolder(t);
  const store = new Store(folder, key);
  t.after(() => store.close());
  const written = new Set<string>();
  const ids = fc
    .uniqueArray(fc.integer({ min: 0, max: key.examples - 1 }), { minLength: 1, maxLength: 40 })
    .map((values) => Uint32Array.from(values));
  const view = fc.integer({ min: 0, max: key.period - 1 });
  fc.assert(
    fc.property(ids, view, ids, view, (kept, keptView, asked, askedView) => {
      assert.equal(store.write(kept, keptView, logitsOf(kept, keptView)), 0);
      for (const example of kept) written.add(`${example} ${keptView}`);
      const { logits, missing } = store.read(asked, askedView);
      const isMissing = (example: number) => !written.has(`${example} ${askedView}`);
      assert.deepEqual(
        [...missing],
        [...asked.keys()].filter((at) => isMissing(asked[at]!)),
      );
      const expected = logitsOf(asked, askedView);
      for (const at of missing) expected.fill(0, at * key.classes, (at + 1) * key.classes);
      assert.deepEqual(logits, expected);
    }),
  );
  const { whole, damaged } = checkStore(folder, key);
  assert.equal(whole, written.size);
  assert.deepEqual(damaged, []);
});

test("what another process has written since is found, and what it has not is missing", (t) => {
  const folder = scratchFolder(t);
  const [one, other] = [new Store(folder, key), new Store(folder, key)];
  t.after(() => [one, other].forEach((store) => void store.close()));
  const ids = Uint32Array.of(1, 2, 3);
  assert.deepEqual([...one.read(ids, 0).missing], [0, 1, 2]);
  other.write(ids.subarray(1), 0, logitsOf(ids.subarray(1), 0));
  assert.deepEqual([...one.read(ids, 0).missing], [0]);
});

for (const [what, change] of Object.entries<(record: Buffer) => void>({
  "with a flipped bit": (record) => {
    record[bytes - 1]! ^= 1;
  },
  "torn in the middle": (record) => void record.fill(0, 20),
  "of another example": (record) => void record.writeUInt32LE(8, 4),
})) {
  test(`a record ${what} is missing, named by the check, and written anew`, (t) => {
    const folder = scratchFolder(t);
    const ids = Uint32Array.of(6, 7, 8);
    const before = new Store(folder, key);
    before.write(ids, 2, logitsOf(ids, 2));
    before.close();
    tamper(folder, placeOf(7, 2), change);
    assert.deepEqual(checkStore(folder, key), { whole: 2, damaged: [{ example: 7, view: 2 }] });
    const store = new Store(folder, key);
    t.after(() => store.close());
    assert.deepEqual([...store.read(ids, 2).missing], [1]);
    store.write(Uint32Array.of(7), 2, logitsOf(Uint32Array.of(7), 2));
    assert.deepEqual(store.read(ids, 2), { logits: logitsOf(ids, 2), missing: new Uint32Array(0) });
    assert.deepEqual(checkStore(folder, key), { whole: 3, damaged: [] });
  });
}

test("records that lie in each other's place are missing (L6)", (t) => {
  const folder = scratchFolder(t);
  const ids = Uint32Array.of(6, 7);
  const before = new Store(folder, key);
  before.write(ids, 0, logitsOf(ids, 0));
  before.close();
  let six = Buffer.alloc(0);
  tamper(folder, placeOf(6, 0), (record) => {
    six = Buffer.from(record);
  });
  tamper(folder, placeOf(7, 0), (record) => void record.set(six));
  const store = new Store(folder, key);
  t.after(() => store.close());
  assert.deepEqual([...store.read(ids, 0).missing], [1]);
});

test("a file that was cut short is a store with fewer records", (t) => {
  const folder = scratchFolder(t);
  const ids = Uint32Array.of(0, 999);
  const before = new Store(folder, key);
  before.write(ids, 3, logitsOf(ids, 3));
  before.close();
  truncateSync(join(folder, recordsFile), placeOf(999, 3) + 10);
  assert.equal(checkStore(folder, key).whole, 1);
  const store = new Store(folder, key);
  t.after(() => store.close());
  assert.deepEqual([...store.read(ids, 3).missing], [1]);
});

test("a store too large for memory is read record by record, with the same results", (t) => {
  const large = { ...key, classes: 1000, examples: 20_000, period: 1, format: "float32" };
  assert.ok(storeBytes(large) > 64 * 2 ** 20);
  const folder = scratchFolder(t);
  const store = new Store(folder, large);
  t.after(() => store.close());
  const ids = Uint32Array.of(19_999, 3, 10_000);
  const kept = ids.subarray(0, 2);
  store.write(kept, 0, logitsOf(kept, 0, 1000));
  const { logits, missing } = store.read(ids, 0);
  assert.deepEqual([...missing], [2]);
  assert.deepEqual(logits.subarray(0, 2000), logitsOf(kept, 0, 1000));
});
