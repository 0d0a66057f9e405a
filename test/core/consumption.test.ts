import assert from "node:assert/strict";
import { test } from "node:test";
import { Consumption } from "../../core/consumption.ts";
import { laneExamples } from "../../core/ledger.ts";

const plan = { seed: 3, trainExamples: 50, lanes: 2, laneBatch: 10 }; // 3 steps per epoch, the last of 10
const ids = (...listed: number[]) => Uint32Array.from(listed);

function consumeSteps(consumption: Consumption, from: number, to: number): void {
  for (let step = from; step < to; step++) {
    for (let lane = 0; lane < plan.lanes; lane++) consumption.consume(laneExamples(plan, step, lane));
    if (step % 3 === 2) consumption.endEpoch();
  }
}

test("what the ledger deals is seen once per epoch, none twice, none missing", () => {
  const consumption = new Consumption(plan.trainExamples);
  consumeSteps(consumption, 0, 6);
  const expected = { examplesPerEpoch: 50, epochs: 2, seen: 100, duplicated: 0, missing: 0 };
  assert.deepEqual(consumption.totals, expected);
  assert.deepEqual(consumption.totalsAfter(6, plan), expected);
});

test("an example that comes twice is duplicated, one that does not come is missing", () => {
  const consumption = new Consumption(4);
  consumption.consume(ids(0, 1, 1));
  consumption.consume(ids(1, 2));
  consumption.endEpoch();
  assert.deepEqual(consumption.totals, { examplesPerEpoch: 4, epochs: 1, seen: 3, duplicated: 2, missing: 1 });
});

test("an example that is consumed very often is still counted right", () => {
  const consumption = new Consumption(1);
  for (let time = 0; time < 1000; time++) consumption.consume(ids(0));
  assert.equal(consumption.totals.duplicated, 999);
  assert.equal(consumption.seen[0], 255);
});

test("a stage that ends in the middle of an epoch misses only what was dealt and not consumed", () => {
  const consumption = new Consumption(plan.trainExamples);
  consumeSteps(consumption, 0, 4);
  assert.deepEqual(consumption.totalsAfter(4, plan), {
    examplesPerEpoch: 50,
    epochs: 1,
    seen: 70,
    duplicated: 0,
    missing: 0,
  });
  assert.equal(consumption.totalsAfter(5, plan).missing, 20, "as if step 4 had been applied and not counted");
});

test("counting goes on from a checkpoint", () => {
  const first = new Consumption(plan.trainExamples);
  consumeSteps(first, 0, 4);
  const restored = new Consumption(plan.trainExamples, { seen: first.seen, totals: first.totals });
  consumeSteps(first, 4, 5); // Going on does not touch what was restored.
  consumeSteps(restored, 4, 6);
  assert.deepEqual(restored.totals, { examplesPerEpoch: 50, epochs: 2, seen: 100, duplicated: 0, missing: 0 });
});
