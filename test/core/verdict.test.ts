import assert from "node:assert/strict";
import { test } from "node:test";
import { LimbeckError } from "../../core/errors.ts";
import { mcnemar, verdict } from "../../core/verdict.ts";

/** Outcomes with this many examples right for both, for the student alone, for the baseline alone. */
function outcomes(both: number, studentOnly: number, baselineOnly: number): [Uint8Array, Uint8Array] {
  const student = new Uint8Array(both + studentOnly + baselineOnly).fill(1, 0, both + studentOnly);
  const baseline = new Uint8Array(student.length).fill(1, 0, both).fill(1, both + studentOnly);
  return [student, baseline];
}

/** The tail in whole numbers: 2·Σ C(n, i), i ≤ k, over 2^n. */
function exactPValue(a: number, b: number): number {
  const n = a + b;
  const k = Math.min(a, b);
  let choose = 1n;
  let tail = 0n;
  for (let i = 0; i <= k; i++) {
    tail += choose;
    choose = (choose * BigInt(n - i)) / BigInt(i + 1);
  }
  const digits = 10n ** 30n;
  return Math.min(1, Number((2n * tail * digits) / 2n ** BigInt(n)) / 1e30);
}

test("p-values are the hand-computed binomial tails", () => {
  // n = 12: 2 · (1 + 12 + 66) / 4096
  assert.equal(mcnemar(...outcomes(5, 10, 2)).pValue.toFixed(12), ((2 * 79) / 4096).toFixed(12));
  assert.equal(mcnemar(...outcomes(5, 2, 10)).pValue.toFixed(5), "0.03857");
  assert.equal(mcnemar(...outcomes(0, 6, 0)).pValue.toFixed(12), (2 / 64).toFixed(12));
  assert.equal(mcnemar(...outcomes(9, 4, 4)).pValue, 1);
  assert.equal(mcnemar(...outcomes(9, 0, 0)).pValue, 1);
});

test("p-values stay right for thousands of discordant examples", () => {
  for (const [a, b] of [
    [30, 50],
    [520, 470],
    [2100, 1900],
    [5000, 4999],
  ] as const) {
    const expected = exactPValue(a, b);
    const got = mcnemar(...outcomes(10, a, b)).pValue;
    assert.ok(Math.abs(got - expected) <= 1e-9 * expected, `${a} against ${b}: ${got}, exactly ${expected}`);
  }
  const certain = mcnemar(...outcomes(0, 3000, 0)).pValue;
  assert.ok(certain >= 0 && certain < 1e-300);
});

test("a verdict needs significance, and says which way", () => {
  assert.equal(verdict(...outcomes(9000, 60, 20)).verdict, "beats");
  assert.equal(verdict(...outcomes(9000, 20, 60)).verdict, "does_not_beat");
  assert.equal(verdict(...outcomes(9000, 24, 20)).verdict, "inconclusive");
  const { why, studentOnly, baselineOnly } = verdict(...outcomes(88, 10, 2));
  assert.deepEqual([studentOnly, baselineOnly], [10, 2]);
  assert.equal(
    why,
    "of 100 examples the student alone got 10 right and the baseline alone 2: the student is better (p = 0.0386, exact McNemar test)",
  );
});

test("outcomes over different examples are refused", () => {
  assert.throws(() => mcnemar(new Uint8Array(3), new Uint8Array(4)), LimbeckError);
});
