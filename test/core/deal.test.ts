import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { deal, stepSeconds } from "../../core/deal.ts";
import { LimbeckError } from "../../core/errors.ts";

const timed = (seconds: readonly number[]) => seconds.map((laneSeconds, at) => ({ name: `w${at + 1}`, laneSeconds }));
const counts = (lanes: number, seconds: readonly number[]) => {
  const dealt = deal(lanes, timed(seconds));
  return seconds.map((_, at) => dealt.find(({ worker }) => worker === `w${at + 1}`)?.lanes ?? 0);
};
const speeds = (range: { minLength: number; maxLength: number }) =>
  fc.array(fc.double({ min: 0.001, max: 1000, noNaN: true }), range);

test("every lane is dealt exactly once, in order, to workers in order", () => {
  fc.assert(
    fc.property(speeds({ minLength: 1, maxLength: 40 }), fc.integer({ min: 0, max: 100 }), (given, more) => {
      const lanes = given.length + more;
      let [next, last] = [0, 0];
      for (const dealt of deal(lanes, timed(given))) {
        const at = Number(dealt.worker.slice(1));
        assert.ok(at > last);
        assert.equal(dealt.firstLane, next);
        assert.ok(dealt.lanes >= 1);
        [next, last] = [next + dealt.lanes, at];
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

test("lanes follow the speed, and one that only holds the others up gets none", () => {
  assert.deepEqual(counts(8, [3, 5]), [5, 3]);
  assert.deepEqual(counts(8, [1, 1, 1, 10]), [3, 3, 2, 0]);
  assert.deepEqual(counts(8, [1, 1, 1, 2.5]), [3, 2, 2, 1]);
  assert.deepEqual(counts(3, [10, 10, 10]), [1, 1, 1]);
});

test("one on trial gets no more lanes than it may have", () => {
  const workers = [{ name: "a" }, { name: "b", atMost: 1 }];
  assert.deepEqual(
    deal(8, workers).map(({ lanes }) => lanes),
    [7, 1],
  );
});

test("no deal makes the step shorter", () => {
  const lanes = 6;
  fc.assert(
    fc.property(speeds({ minLength: 2, maxLength: 3 }), (given) => {
      const ours = stepSeconds(deal(lanes, timed(given)), timed(given));
      const others = shares(lanes, given.length).map((share) =>
        Math.max(...share.map((each, at) => each * given[at]!)),
      );
      assert.ok(ours <= Math.min(...others) * (1 + 1e-12));
    }),
  );
});

/** All ways to share so many lanes. */
function shares(lanes: number, workers: number): number[][] {
  if (workers === 1) return [[lanes]];
  return Array.from({ length: lanes + 1 }, (_, first) =>
    shares(lanes - first, workers - 1).map((rest) => [first, ...rest]),
  ).flat();
}

test("more workers than lanes are refused as a fault of the job", () => {
  assert.throws(
    () => deal(2, timed([1, 1, 1])),
    (error) => error instanceof LimbeckError && error.code === "bad_job",
  );
  assert.throws(() => deal(2, []), /no student/);
});
