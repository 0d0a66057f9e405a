import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { globalBatch, type LedgerPlan, laneExamples, laneShare, stepShare } from "../../core/ledger.ts";

const plans = fc.record({
  seed: fc.integer({ min: 0, max: 0xffffffff }),
  trainExamples: fc.integer({ min: 1, max: 600 }),
  lanes: fc.integer({ min: 1, max: 9 }),
  laneBatch: fc.integer({ min: 1, max: 40 }),
});
const perEpochOf = (plan: LedgerPlan) => Math.ceil(plan.trainExamples / globalBatch(plan));
const stepExamples = (plan: LedgerPlan, step: number) =>
  Array.from({ length: plan.lanes }, (_, lane) => [...laneExamples(plan, step, lane)]).flat();

test("L2: in every epoch each example counts exactly once", () => {
  fc.assert(
    fc.property(plans, fc.integer({ min: 0, max: 3 }), (plan, epoch) => {
      const perEpoch = perEpochOf(plan);
      const steps = Array.from({ length: perEpoch }, (_, step) => epoch * perEpoch + step);
      const consumed = steps.flatMap((step) => stepExamples(plan, step));
      assert.deepEqual(
        consumed.sort((a, b) => a - b),
        Array.from({ length: plan.trainExamples }, (_, id) => id),
      );
    }),
  );
});

test("all steps of an epoch are full but the last, which takes what is left", () => {
  fc.assert(
    fc.property(plans, fc.integer({ min: 0, max: 50 }), (plan, step) => {
      const perEpoch = perEpochOf(plan);
      const share = stepShare(plan, step);
      assert.equal(share.epoch, Math.floor(step / perEpoch));
      const isLast = step % perEpoch === perEpoch - 1;
      const left = plan.trainExamples - (perEpoch - 1) * globalBatch(plan);
      assert.equal(share.examples, isLast ? left : globalBatch(plan));
      assert.ok(share.examples >= 1);
    }),
  );
});

test("in a smaller step the first lanes are full, one is partial, the rest are empty", () => {
  const plan = { seed: 1, trainExamples: 70, lanes: 4, laneBatch: 16 };
  assert.deepEqual(stepShare(plan, 1), { epoch: 0, first: 64, examples: 6 });
  assert.deepEqual(stepShare({ ...plan, trainExamples: 104 }, 3), { epoch: 1, first: 64, examples: 40 });
  const shares = [0, 1, 2, 3].map((lane) => laneShare({ ...plan, trainExamples: 104 }, 3, lane));
  assert.deepEqual(shares, [
    { first: 64, examples: 16 },
    { first: 80, examples: 16 },
    { first: 96, examples: 8 },
    { first: 104, examples: 0 },
  ]);
  assert.equal(laneExamples(plan, 1, 3).length, 0);
});

test("epochs have different orders, seeds too", () => {
  const plan = { seed: 1, trainExamples: 256, lanes: 2, laneBatch: 64 };
  const orders = [stepExamples(plan, 0), stepExamples(plan, 2), stepExamples({ ...plan, seed: 2 }, 0)];
  assert.equal(new Set(orders.map((order) => order.join())).size, 3);
});
