import assert from "node:assert/strict";
import { test } from "node:test";
import { type Latest, nothingYet, withEvent } from "../../coordinator/latest.ts";
import type { ProgressEvent } from "../../core/events.ts";

function stepped(stage: "teach" | "distil", step: number): ProgressEvent {
  const figures = {
    steps: 100,
    epoch: 1,
    epochs: 2,
    samplesPerSecond: 1,
    accuracy: 0,
    agreement: null,
    softLoss: null,
  };
  const phases = { data: 0, softTargets: 0, compute: 0, exchange: 0, apply: 0 };
  const rest = { hardLoss: 0, learningRate: 0, etaSeconds: 0, phases, atMs: step };
  return { kind: "stepped", stage, step, loss: step, ...figures, ...rest };
}

const lost: ProgressEvent = { kind: "worker-lost", worker: "w1", why: "killed", silentMs: 1, atMs: 1 };
const term: ProgressEvent = {
  kind: "term-opened",
  term: 2,
  stage: "teach",
  why: "w1 is lost",
  reason: "lost",
  planned: false,
  deal: [],
  teachers: [],
  atMs: 2,
};

function after(...events: ProgressEvent[]): Latest {
  return events.reduce(withEvent, nothingYet);
}

test("the newest step with the losses before it, of the stage that began last", () => {
  const teach = Array.from({ length: 100 }, (_, at) => stepped("teach", at + 1));
  const { lastStep, recentLosses } = after(...teach);
  assert.equal(lastStep?.step, 100);
  assert.deepEqual(
    recentLosses,
    Array.from({ length: 60 }, (_, at) => at + 41),
  );
  const started: ProgressEvent = {
    kind: "stage-started",
    stage: "distil",
    steps: 9,
    stepsPerEpoch: 3,
    parameters: 1,
    atMs: 1,
  };
  assert.deepEqual(after(...teach, started), nothingYet);
  assert.deepEqual(after(...teach, started, stepped("distil", 7)).recentLosses, [7]);
});

test("the last fault is what went wrong, not what was then done", () => {
  assert.equal(after(lost, term).lastFault, lost);
  const failed: ProgressEvent = { kind: "job-failed", code: "timeout", message: "nobody came", atMs: 3 };
  assert.equal(after(lost, term, failed).lastFault, failed);
  assert.equal(after(stepped("teach", 1)).lastFault, null);
});
