/** Comparison of float32 results with a reference. */
import assert from "node:assert/strict";
import { randomStream } from "../../../core/random.ts";

/** Differences are measured against 1 or the expected value's size, whichever is larger. */
export function near(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number): void {
  assert.equal(actual.length, expected.length);
  for (let at = 0; at < actual.length; at++) {
    const [got, wanted] = [actual[at]!, expected[at]!];
    const isNear = Math.abs(got - wanted) <= tolerance * Math.max(1, Math.abs(wanted));
    assert.ok(isNear, `element ${at} of ${actual.length} is ${got}, expected ${wanted}`);
  }
}

/** Seeded draws in [-1,1), rounded to float32. */
export function draws(count: number, seed: number): Float32Array {
  const next = randomStream(seed);
  return Float32Array.from({ length: count }, () => next() * 2 - 1);
}
