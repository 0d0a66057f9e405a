/** What the live page keeps of a job: bounded, true at its ends and extremes, and the same wherever it is picked up. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { ProgressEvent, ProgressEventBody } from "../../../core/events.ts";
import { History, slim } from "../../../core/live/history.ts";
import { Track } from "../../../core/live/track.ts";

const steps = 100_000;
const at = (atMs: number, body: ProgressEventBody): ProgressEvent => ({ ...body, atMs });
const stepped = (step: number, loss: number, atMs = step): ProgressEvent =>
  at(atMs, {
    ...{ kind: "stepped", stage: "distil", step, steps, epoch: step / 100, epochs: steps / 100, samplesPerSecond: 5 },
    ...{ loss, hardLoss: loss, softLoss: null, accuracy: 0.5, agreement: null, learningRate: 0.1, etaSeconds: 1 },
    phases: { data: 0.1, softTargets: 0.2, compute: 0.3, exchange: 0.4, apply: 0.5 },
  });
const opened = (term: number): ProgressEvent =>
  at(term, {
    ...{ kind: "term-opened", term, stage: "distil", why: `w${term} is lost`, reason: "lost", planned: false },
    ...{ deal: [{ worker: "w0", firstLane: 0, lanes: 4 }], teachers: ["t"] },
  });

test("100,000 steps and 5,000 faults stay small, with first, last, least and most", () => {
  const history = new History();
  for (let step = 1; step <= steps; step++) {
    history.hear(stepped(step, step === 44_444 ? 99 : step === 55_555 ? -99 : 1 + 1 / step));
    if (step % 20 === 0) history.hear(opened(step / 20));
  }
  const [past] = history.stages;
  const { length, epochs } = past!.curves;
  assert.ok(length > 150 && length <= 400, `${length} rows`);
  assert.equal(epochs[0], 0.01);
  assert.equal(epochs.at(-1), steps / 100);
  const losses = past!.curves.values("loss");
  assert.equal(losses[0], 2);
  assert.equal(losses.at(-1), 1 + 1 / steps);
  assert.equal(Math.max(...(past!.curves.values("loss", "most") as number[])), 99);
  assert.equal(Math.min(...(past!.curves.values("loss", "least") as number[])), -99);
  assert.deepEqual(past!.curves.values("softLoss"), Array(length).fill(null));
  const { facts } = history;
  assert.equal(facts.next, steps + 5_000);
  assert.equal(facts.faults, 4_999, "the first term is none");
  assert.equal(facts.marks.length + facts.marksForgotten, 5_000, "none is lost from the count");
  assert.equal(facts.marks.at(-1)!.why, "term 5000: w5000 is lost");
  assert.ok(JSON.stringify(history).length < 150_000, `${JSON.stringify(history).length} bytes`);
});

test("a track keeps its bounds and extremes, whatever comes", () => {
  const value = fc.option(fc.integer({ min: -1000, max: 1000 }), { nil: null });
  fc.assert(
    fc.property(fc.array(value, { minLength: 1, maxLength: 300 }), fc.integer({ min: 3, max: 20 }), (values, most) => {
      const track = new Track(["v"], most);
      values.forEach((v, at) => {
        track.add(at + 1, at, { v });
      });
      const known = values.filter((v) => v !== null);
      const over = (of: "least" | "most") => track.values("v", of).filter((v) => v !== null);
      assert.ok(track.length <= most);
      assert.equal(track.epochs[0], 0);
      assert.equal(track.epochs.at(-1), values.length - 1);
      assert.equal(track.values("v")[0], values[0]);
      assert.equal(Math.min(...over("least")), Math.min(...known));
      assert.equal(Math.max(...over("most")), Math.max(...known));
      const steps = track.columns().step;
      assert.ok(steps.every((step, at) => at === 0 || step > steps[at - 1]!));
    }),
  );
});

test("what came after a checkpoint that all went back to is gone", () => {
  const track = new Track(["v"], 100);
  for (const step of [1, 2, 3, 4]) track.add(step, step, { v: step });
  track.add(3, 3, { v: 30 });
  assert.deepEqual(track.columns().step, [1, 2, 3]);
  assert.deepEqual(track.values("v"), [1, 2, 30]);
});

test("a copy that hears the rest is the original, wherever it was made", () => {
  const score = { examples: 10, errors: 3, accuracy: 0.7, crossEntropy: 1 };
  const events: ProgressEvent[] = Array.from({ length: 2_000 }, (_, step) => [
    stepped(step + 1, step % 7),
    ...(step % 100 === 0
      ? [opened(step), at(step, { kind: "evaluated", stage: "distil", step, epoch: step, score })]
      : []),
  ]).flat();
  const whole = new History();
  for (const event of events) whole.hear(event);
  fc.assert(
    fc.property(fc.integer({ min: 0, max: events.length }), (cut) => {
      const first = new History();
      for (const event of events.slice(0, cut)) first.hear(event);
      const copy = new History(JSON.parse(JSON.stringify(first)));
      for (const event of events.slice(cut)) copy.hear(slim(event));
      assert.deepEqual(JSON.parse(JSON.stringify(copy)), JSON.parse(JSON.stringify(whole)));
    }),
    { numRuns: 20 },
  );
});

test("the end of a job is told, and that it goes on after all", () => {
  const history = new History();
  history.hear(at(1, { kind: "job-stopped", why: "stopped by SIGINT" }));
  assert.deepEqual(history.facts.ended, { kind: "stopped", why: "stopped by SIGINT" });
  history.hear(at(2, { kind: "coordinator-recovered", term: 1, why: "started again" }));
  assert.equal(history.facts.ended, null);
  history.hear(slim(at(3, { kind: "job-finished", report: { summary: "it paid off", disputes: ["much"] } })));
  assert.deepEqual(history.facts.ended, { kind: "finished", why: "it paid off" });
  assert.deepEqual(history.facts.lines.at(-1), { atMs: 3, level: "info", text: "done" });
});
