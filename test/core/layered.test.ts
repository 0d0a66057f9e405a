import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { withEntry } from "../../core/layered.ts";

const entry = fc.tuple(fc.nat(200), fc.option(fc.nat(9), { nil: undefined }));

test("a map with another entry is what a copy would be, and the one it was made of stays as it was", () => {
  const property = fc.property(fc.nat(150), fc.array(entry, { maxLength: 150 }), (size, changes) => {
    let plain: ReadonlyMap<number, number | undefined> = new Map(Array.from({ length: size }, (_, at) => [at, at]));
    let layered = plain;
    for (const [key, value] of changes) {
      const before = [...layered];
      const next = withEntry(layered, key, value);
      assert.deepEqual([...layered], before);
      plain = new Map(plain).set(key, value);
      layered = next;
      assert.deepEqual([...layered], [...plain]);
    }
    assert.equal(layered.size, plain.size);
    assert.deepEqual([...layered.keys()], [...plain.keys()]);
    assert.deepEqual([...layered.values()], [...plain.values()]);
    const told: [number, number | undefined][] = [];
    layered.forEach((value, key) => void told.push([key, value]));
    assert.deepEqual(told, [...plain]);
    for (let key = 0; key < 210; key++) {
      assert.equal(layered.get(key), plain.get(key));
      assert.equal(layered.has(key), plain.has(key));
    }
  });
  fc.assert(property, { numRuns: 100 });
});
