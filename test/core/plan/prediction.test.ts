/** Predictions from calibrations made by hand, which can be checked by eye. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Calibration } from "../../../core/plan/calibration.ts";
import { bestSplit, predict } from "../../../core/plan/prediction.ts";
import { cacheEstimate, diskEstimate } from "../../../core/plan/storage.ts";
import { smokeJob } from "../../worker/foreman.ts";

// 2000 examples in 4 lanes of 32: 16 steps an epoch, 32 a stage.
const job = smokeJob("evaluation.everyEpochs=0");
const cost = { laneSeconds: 0.01, stepSeconds: 0.002, gradient: 0, state: 100 };

/** Nothing but training costs anything, and processes do not disturb each other. */
function calibrated(cores: number, more: Partial<Calibration> = {}): Calibration {
  return {
    machine: { cores, threads: 1, gpu: false, twoAtOnce: Math.min(2, cores) },
    dataset: { trainExamples: 2000, evaluationExamples: 500, classes: 10 },
    teach: cost,
    student: cost,
    forward: { teacherSeconds: 0.005, studentSeconds: 0 },
    weights: { teacher: 1000, student: 100 },
    prepareSeconds: 1,
    copySecondsPerFloat: 0,
    ...more,
  };
}

const distilled = (calibration: Calibration, students: number, teachers: number) =>
  predict(job, calibration, { students, teachers }).stages[1]!;

const near = (actual: number, expected: number) =>
  assert.ok(Math.abs(actual - expected) < 1e-9, `${actual}, not ${expected}`);

test("with cores for all a step is as long as the busiest student, then as the busiest teacher", () => {
  near(distilled(calibrated(8), 1, 1).stepSeconds, 4 * 0.01 + 0.002);
  near(distilled(calibrated(8), 2, 1).stepSeconds, 2 * 0.01 + 0.002 + 0.0015);
  near(distilled(calibrated(8), 3, 1).stepSeconds, 2 * 0.01 + 0.002 + 0.0015); // Of 4 lanes somebody has 2.
  const bound = distilled(calibrated(8), 4, 1);
  near(bound.stepSeconds, 4 * 0.005);
  assert.equal(bound.boundBy, "teachers");
  near(distilled(calibrated(8), 4, 2).stepSeconds, 0.01 + 0.002 + 0.0015);
});

test("of an ensemble served apart the member with the fewest teachers is what a step waits for", () => {
  const members = "teacher={ensemble: [{load: a}, {load: b}], workers: apart}";
  const apart = smokeJob("evaluation.everyEpochs=0", members, "teach=", "workers.teachers=2");
  const stepSeconds = (teachers: number) =>
    predict(apart, calibrated(16), { students: 4, teachers }).stages[1]!.stepSeconds;
  near(stepSeconds(2), 0.01 + 0.002 + 0.0015); // 4 lanes of half a teacher: 0.01.
  const slow = calibrated(16, { forward: { teacherSeconds: 0.02, studentSeconds: 0 } });
  const bound = (teachers: number) => predict(apart, slow, { students: 4, teachers }).stages[1]!.stepSeconds;
  near(bound(2), (4 * 0.02) / 2);
  near(bound(3), (4 * 0.02) / 2);
  near(bound(4), (2 * 0.02) / 2);
  for (const workers of [3, 4, 8]) assert.ok(bestSplit(apart, slow, workers).teachers >= 2);
});

test("processes beyond the cores take turns: more of them make nothing faster", () => {
  const alone = distilled(calibrated(1), 1, 1);
  near(alone.stepSeconds, 4 * (0.01 + 0.005) + 0.002);
  assert.equal(alone.boundBy, "cores");
  assert.ok(distilled(calibrated(1), 4, 4).stepSeconds > alone.stepSeconds);
  assert.ok(distilled(calibrated(2), 2, 1).stepSeconds < alone.stepSeconds);
});

test("processes that disturb each other are slower, and the cores are worth less", () => {
  const disturbed = calibrated(8, { machine: { cores: 8, threads: 1, gpu: false, twoAtOnce: 1.6 } });
  near(distilled(disturbed, 1, 1).stepSeconds, (4 * 0.01 + 0.002) * (2 / 1.6));
});

test("GPUs, one for each worker, share no core", () => {
  const gpus = calibrated(1, { machine: { cores: 1, threads: 1, gpu: true, twoAtOnce: 1 } });
  near(distilled(gpus, 4, 2).stepSeconds, 0.01 + 0.002 + 0.0015);
});

test("the best split has as many teachers as the students need, and no more", () => {
  const { students, teachers } = bestSplit(job, calibrated(16), 6);
  assert.deepEqual({ students, teachers }, { students: 4, teachers: 2 });
  const slow = calibrated(16, { forward: { teacherSeconds: 0.08, studentSeconds: 0 } });
  assert.equal(bestSplit(job, slow, 5).teachers, 4);
});

test("a job is its stages, their evaluations, and the time to get ready; a loaded teacher takes no step", () => {
  const whole = predict(job, calibrated(8), { students: 1, teachers: 1 });
  // 500 examples in passes of 32: at the end of teach, and once more as it loads back; the student's cost nothing here.
  near(whole.stages[0]!.wallSeconds, 32 * 0.042 + 2 * (500 / 32) * 0.005);
  near(whole.wallSeconds, 1 + whole.stages.reduce((sum, stage) => sum + stage.wallSeconds, 0));
  const loaded = smokeJob("teach=null", "teacher={load: teacher}", "evaluation.everyEpochs=0");
  const [teach] = predict(loaded, calibrated(8, { teach: null }), { students: 1, teachers: 1 }).stages;
  assert.deepEqual([teach!.steps, teach!.stepSeconds, teach!.samplesPerSecond], [0, 0, 0]);
});

test("a cache pays where teachers bound the second epoch; endless views are not kept", () => {
  const slow = calibrated(8, { forward: { teacherSeconds: 0.05, studentSeconds: 0 } });
  const cache = cacheEstimate(job, slow, predict(job, slow, { students: 2, teachers: 1 }));
  assert.equal(cache.bytes, 2000 * (12 + 2 * 10));
  assert.ok(cache.pays);
  near(cache.savedSeconds, 16 * (0.2 - 0.0235));
  const quick = calibrated(8);
  assert.equal(cacheEstimate(job, quick, predict(job, quick, { students: 2, teachers: 1 })).pays, false);
  const moved = smokeJob("distil.views={shift: 1}");
  assert.deepEqual(cacheEstimate(moved, slow, predict(moved, slow, { students: 2, teachers: 1 })).period, null);
  const disk = diskEstimate(job, slow, cache);
  assert.equal(disk.checkpointBytes, 2 * 4 * 100 * 3);
  assert.equal(disk.exportBytes, 4 * 1000 + 7 * 100);
  assert.equal(disk.bytes, disk.checkpointBytes + disk.exportBytes + cache.bytes);
});
