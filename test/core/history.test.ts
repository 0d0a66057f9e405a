/** What a report takes from events: faults, time and curves of a run that is made up. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { curvesOf } from "../../core/curves.ts";
import type { ProgressEvent, ProgressEventBody } from "../../core/events.ts";
import { faultsOf } from "../../core/faults.ts";
import { timeUse } from "../../core/timeuse.ts";

const at = (seconds: number, body: ProgressEventBody): ProgressEvent => ({ ...body, atMs: seconds * 1000 });
const score = { examples: 10, errors: 3, accuracy: 0.7, crossEntropy: 1 };
const opened = (seconds: number, term: number, planned: boolean) =>
  at(seconds, {
    ...{ kind: "term-opened", term, stage: "distil", why: "w2 is lost", reason: "lost", planned },
    ...{ deal: [], teachers: [] },
  });
const begun = (seconds: number, step: number) => at(seconds, { kind: "term-begun", term: 1, stage: "distil", step });

function stepped(seconds: number, step: number, more: { loss?: number; agreement?: null } = {}): ProgressEvent {
  return at(seconds, {
    ...{ kind: "stepped", stage: "distil", step, steps: 8, epoch: step / 4, epochs: 2, samplesPerSecond: 10 },
    ...{ loss: 1, hardLoss: 1, softLoss: 1, accuracy: 0.5, agreement: 0.5, learningRate: 0.1, etaSeconds: 1, ...more },
    phases: { data: 0.25, softTargets: 0.5, compute: 1, exchange: 0.25, apply: 0.25 },
  });
}

const finished = (seconds: number) =>
  at(seconds, {
    ...{ kind: "stage-finished", stage: "distil", steps: 8, wallSeconds: 1, samplesPerSecond: 1, score },
    weightsSha256: "w",
  });
const exported = (seconds: number) =>
  at(seconds, { kind: "exported", stage: "distil", folder: "student", format: "float32", bytes: 1, score });

test("a stage's time adds up to its wall time", () => {
  const events = [
    opened(0, 1, true),
    begun(3, 0),
    stepped(8, 2),
    stepped(13, 4),
    finished(16),
    exported(17),
    exported(18),
  ];
  assert.deepEqual(timeUse(events), [
    {
      ...{ stage: "distil", wall: 16, gettingReady: 3, softTargets: 2, compute: 4, exchange: 1, apply: 1 },
      ...{ evaluating: 3, rest: 2, data: 1, exporting: 2 },
    },
  ]);
});

test("time goes on over terms, and steps that are done again count again", () => {
  const events = [
    opened(0, 1, true),
    begun(1, 0),
    stepped(5, 2),
    opened(5, 2, false),
    opened(6, 3, false),
    begun(8, 1),
    stepped(10, 2),
    finished(11),
  ];
  const [time] = timeUse(events);
  assert.equal(time!.gettingReady, 4);
  assert.equal(time!.compute, 3, "of three steps");
  assert.deepEqual(timeUse(events.slice(0, -1)), [], "a stage that is not over has no time yet");
});

test("a pause lasts until a term begins", () => {
  const paused = at(4, { kind: "job-paused", why: "1 of at least 2 students" });
  const events = [
    opened(0, 1, true),
    begun(1, 0),
    stepped(3, 1),
    paused,
    opened(9, 2, false),
    begun(10, 1),
    finished(11),
  ];
  assert.equal(timeUse(events)[0]!.gettingReady, 1 + 6);
});

test("faults are counted by kind and told in words; an ordinary run has none", () => {
  assert.deepEqual(faultsOf([opened(0, 1, false), begun(1, 0), opened(2, 2, true), stepped(3, 1), finished(4)]), []);
  const lost = (seconds: number, worker: string) =>
    at(seconds, { kind: "worker-lost", worker, why: "it was killed", silentMs: 9 });
  const events = [...Array.from({ length: 7 }, (_, n) => lost(n, `w${n}`)), opened(8, 2, false)];
  assert.deepEqual(faultsOf(events), [
    { what: "workers lost", times: 7, told: [0, 1, 2, 3, 4].map((n) => `w${n}: it was killed`) },
    { what: "terms opened by a fault", times: 1, told: ["term 2: w2 is lost"] },
  ]);
});

test("curves are means over neighbours, and forget what was gone back from", () => {
  const events = [1, 2, 3, 4].map((step) => stepped(step, step, { loss: step }));
  const again = [3, 4].map((step) => stepped(step + 5, step, { loss: 10 * step }));
  const [curves] = curvesOf([...events, ...again], 2);
  assert.deepEqual(curves!.values.loss, [1.5, 35]);
  assert.deepEqual(curves!.epochs, [0.5, 1]);
  assert.deepEqual(curvesOf(events)[0]!.values.loss, [1, 2, 3, 4], "no more points than there are");
  const without = curvesOf([stepped(1, 1, { agreement: null })]);
  assert.deepEqual(without[0]!.values.agreement, [null]);
  const evaluations = curvesOf([at(1, { kind: "evaluated", stage: "distil", step: 4, epoch: 1, score })]);
  assert.deepEqual(evaluations[0]!.evaluations, { epochs: [1], errors: [3], crossEntropy: [1] });
});
