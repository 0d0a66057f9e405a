import assert from "node:assert/strict";
import { test } from "node:test";
import { learningRate } from "../../core/schedule.ts";

const near = (actual: number, expected: number) =>
  assert.ok(Math.abs(actual - expected) < 1e-12, `${actual} is not ${expected}`);
const at = (step: number, steps = 101) => ({ step, steps, stepsPerEpoch: 10 });

test("constant stays at its peak", () => {
  for (const step of [0, 50, 100]) near(learningRate({ kind: "constant", warmupSteps: 0 }, 0.5, at(step)), 0.5);
});

test("a warm-up rises linearly, reaches the peak in its last step, and starts above 0", () => {
  const schedule = { kind: "constant", warmupSteps: 4 } as const;
  const rates = [0, 1, 2, 3, 4, 5].map((step) => learningRate(schedule, 0.4, at(step)));
  for (const [step, expected] of [0.1, 0.2, 0.3, 0.4, 0.4, 0.4].entries()) near(rates[step]!, expected);
});

test("step drops by its factor every so many epochs, fractions included", () => {
  const schedule = { kind: "step", warmupSteps: 0, everyEpochs: 2.5, factor: 0.1 } as const;
  near(learningRate(schedule, 1, at(24)), 1);
  near(learningRate(schedule, 1, at(25)), 0.1);
  near(learningRate(schedule, 1, at(49)), 0.1);
  near(learningRate(schedule, 1, at(50)), 0.01);
});

test("cosine falls from its peak, through the middle, to its floor at the last step", () => {
  const schedule = { kind: "cosine", warmupSteps: 0, floor: 0.2 } as const;
  near(learningRate(schedule, 1, at(0)), 1);
  near(learningRate(schedule, 1, at(25)), 0.2 + 0.8 * 0.5 * (1 + Math.SQRT1_2));
  near(learningRate(schedule, 1, at(50)), 0.6);
  near(learningRate(schedule, 1, at(100)), 0.2);
});

test("cosine after a warm-up starts at the peak and never rises again", () => {
  const schedule = { kind: "cosine", warmupSteps: 20, floor: 0 } as const;
  near(learningRate(schedule, 1, at(9)), 0.5);
  near(learningRate(schedule, 1, at(19)), 1);
  near(learningRate(schedule, 1, at(20)), 1);
  near(learningRate(schedule, 1, at(60)), 0.5);
  for (let step = 20; step < 100; step++) {
    assert.ok(learningRate(schedule, 1, at(step + 1)) < learningRate(schedule, 1, at(step)));
  }
  near(learningRate(schedule, 1, at(100)), 0);
});

test("a stage that is shorter than its warm-up, or one step long, has a learning rate above 0", () => {
  const short = { kind: "cosine", warmupSteps: 50, floor: 0 } as const;
  for (let step = 0; step < 5; step++) near(learningRate(short, 1, at(step, 5)), (step + 1) / 50);
  near(learningRate({ ...short, warmupSteps: 0 }, 1, at(0, 1)), 1);
});
