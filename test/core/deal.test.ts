import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { deal } from "../../core/deal.ts";
import { LimbeckError } from "../../core/errors.ts";

const named = (weights: readonly number[]) => weights.map((weight, at) => ({ name: `w${at + 1}`, weight }));
const counts = (lanes: number, weights: readonly number[]) => deal(lanes, named(weights)).map((dealt) => dealt.lanes);

test("every lane is dealt exactly once, in order, and everyone has one", () => {
  const weights = fc.array(fc.double({ min: 0.001, max: 1000, noNaN: true }), { minLength: 1, maxLength: 40 });
  fc.assert(
    fc.property(weights, fc.integer({ min: 0, max: 100 }), (given, more) => {
      const lanes = given.length + more;
      let next = 0;
      for (const [at, dealt] of deal(lanes, named(given)).entries()) {
        assert.equal(dealt.worker, `w${at + 1}`);
        assert.equal(dealt.firstLane, next);
        assert.ok(dealt.lanes >= 1);
        next += dealt.lanes;
      }
      assert.equal(next, lanes);
    }),
  );
});

test("equal workers differ by at most one lane, the earlier have more", () => {
  assert.deepEqual(deal(8, [{ name: "a" }, { name: "b" }, { name: "c" }]), [
    { worker: "a", firstLane: 0, lanes: 3 },
    { worker: "b", firstLane: 3, lanes: 3 },
    { worker: "c", firstLane: 6, lanes: 2 },
  ]);
});

test("lanes follow the weights; a slow worker still has one, at the cost of the fast", () => {
  assert.deepEqual(counts(8, [5, 3]), [5, 3]);
  assert.deepEqual(counts(10, [1, 2, 1]), [3, 5, 2]);
  assert.deepEqual(counts(8, [1000, 1, 1]), [6, 1, 1]);
  assert.deepEqual(counts(3, [0.1, 0.1, 0.1]), [1, 1, 1]);
});

test("a faster worker never has fewer lanes than a slower one", () => {
  const weights = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 2, maxLength: 8 });
  fc.assert(
    fc.property(weights, fc.integer({ min: 8, max: 64 }), (given, lanes) => {
      const dealt = counts(lanes, given);
      for (const [a, weight] of given.entries()) {
        for (const [b, other] of given.entries()) if (weight > other) assert.ok(dealt[a]! >= dealt[b]!);
      }
    }),
  );
});

test("more workers than lanes are refused as a fault of the job", () => {
  assert.throws(
    () => deal(2, named([1, 1, 1])),
    (error) => error instanceof LimbeckError && error.code === "bad_job",
  );
  assert.throws(() => deal(2, []), /no student/);
});
