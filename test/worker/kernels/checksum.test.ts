import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { checksum } from "../../../worker/kernels/checksum.ts";

const bytesOf = (length: number, seed: number) =>
  Uint8Array.from({ length }, (_, at) => (at * 31 + seed * 17 + (at >> 8)) & 255);

test("a flipped bit anywhere changes the checksum", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5000 }), fc.nat(), fc.nat(), (length, seed, where) => {
      const bytes = bytesOf(length, seed);
      const before = checksum(bytes, 0);
      const bit = where % (8 * length);
      bytes[bit >> 3]! ^= 1 << (bit & 7);
      return checksum(bytes, 0) !== before;
    }),
  );
});

test("bytes that change places, go missing or are zeros more change it", () => {
  const bytes = bytesOf(1000, 3);
  const sum = checksum(bytes, 0);
  const swapped = bytes.slice();
  // Two whole stripes of 64 bytes, so that every accumulator sees the same words in another order.
  swapped.copyWithin(0, 64, 128);
  swapped.set(bytes.subarray(0, 64), 64);
  assert.notEqual(checksum(swapped, 0), sum);
  assert.notEqual(checksum(bytes.subarray(0, 999), 0), sum);
  assert.notEqual(checksum(new Uint8Array([...bytes, 0]), 0), sum);
  assert.notEqual(checksum(new Uint8Array(64), 0), checksum(new Uint8Array(128), 0));
});

test("it goes on from what came before, lies anywhere in memory, and is an unsigned 32-bit number", () => {
  const bytes = bytesOf(700_000, 5);
  const sum = checksum(bytes, 0);
  assert.ok(Number.isInteger(sum) && sum >= 0 && sum < 2 ** 32);
  assert.notEqual(checksum(bytes, 1), sum);
  const shared = new Uint8Array(new SharedArrayBuffer(bytes.length + 3), 3);
  shared.set(bytes);
  assert.equal(checksum(shared, 0), sum);
});
