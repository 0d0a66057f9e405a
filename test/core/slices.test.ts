import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { slices } from "../../core/slices.ts";

test("slices cover the vector exactly, start aligned, differ by at most one block, and only the last may be empty", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 5000 }), fc.integer({ min: 1, max: 40 }), (floats, owners) => {
      const owned = slices(floats, owners);
      assert.equal(owned.length, owners);
      let next = 0;
      for (const { offset, length } of owned) {
        assert.equal(offset, next);
        if (length > 0) assert.equal(offset % 16, 0);
        assert.ok(length >= 0);
        next += length;
      }
      assert.equal(next, floats);
      const lengths = owned.map(({ length }) => length);
      assert.deepEqual(lengths.slice(lengths.indexOf(0) < 0 ? owners : lengths.indexOf(0)).filter(Boolean), []);
      assert.ok(Math.max(...lengths) - Math.min(...lengths) < 32);
    }),
  );
});

test("a vector smaller than one block has one owner", () => {
  assert.deepEqual(slices(10, 3), [
    { offset: 0, length: 10 },
    { offset: 10, length: 0 },
    { offset: 10, length: 0 },
  ]);
});
