import assert from "node:assert/strict";
import { test } from "node:test";
import { jobDifferences, resultDeciding } from "../../core/jobdigest.ts";
import { parseJob } from "../../core/jobfile.ts";
import { text } from "./samplejob.ts";

const job = (...overrides: string[]) => parseJob(text, "job.yaml", overrides);
const deciding = (...overrides: string[]) => JSON.stringify(resultDeciding(job(...overrides)));

const intervals = [
  "workers.students={min: 1, max: 4}",
  "workers.teachers=3",
  "checkpoint.everySteps=7",
  "checkpoint.keep=9",
  "verification.everySteps=3",
  "evaluation.everyEpochs=0",
  "softTargets.aheadBytes=9000000",
  "softTargets.onNoTeacher=fail",
  "softTargets.inputs=tensors",
  "softTargets.cache=false",
  "softTargets.cache.maxBytes=9",
];

test("a job differs from itself in nothing", () => {
  assert.deepEqual(jobDifferences(job(), job()), { harmful: [], harmless: [] });
});

for (const override of intervals) {
  test(`${override} is harmless and leaves what decides the result as it is`, () => {
    const { harmful, harmless } = jobDifferences(job(), job(override));
    assert.deepEqual(harmful, []);
    assert.equal(harmless.length, 1);
    assert.equal(deciding(override), deciding());
  });
}

for (const override of [
  "distil.temperature=8",
  "seed=6",
  "lanes.count=8",
  "numerics=fast",
  "student.widths=[10, 11]",
  "softTargets.format=float32",
  "distil.views.repeat=3",
  "evaluation.split=test",
  "dataset.limit=100",
  "nonFinite.inARow=9",
]) {
  test(`${override} is harmful and changes what decides the result, unless it is so already`, () => {
    const { harmful, harmless } = jobDifferences(job(), job(override));
    const isSame = JSON.stringify(job()) === JSON.stringify(job(override));
    assert.equal(harmful.length, isSame ? 0 : 1);
    assert.deepEqual(harmless, []);
    assert.equal(deciding(override) === deciding(), isSame);
  });
}

test("whether an ensemble is served apart is harmless, what it is made of is not", () => {
  const ensemble = (members: string, workers: string) =>
    job(`teacher={ensemble: [${members}], workers: ${workers}}`, "teach=", "workers.teachers=2");
  const was = ensemble("{load: a}, {load: b}", "together");
  assert.equal(jobDifferences(was, ensemble("{load: a}, {load: b}", "apart")).harmful.length, 0);
  assert.equal(jobDifferences(was, ensemble("{load: b}, {load: a}", "together")).harmful.length, 1);
});

test("a difference is shown with both values and where they stand", () => {
  const places = { was: "in DIR/job.yaml", now: "in JOB.yaml" };
  const { harmful } = jobDifferences(job(), job("distil.temperature=8", "dataset.limit=100"), places);
  assert.deepEqual([...harmful].sort(), [
    "dataset.limit: nothing in DIR/job.yaml, 100 in JOB.yaml",
    "distil.temperature: 4 in DIR/job.yaml, 8 in JOB.yaml",
  ]);
});

test("the order of keys does not matter, that of lists does", () => {
  const turned = Object.fromEntries(Object.entries(job()).reverse()) as ReturnType<typeof job>;
  assert.deepEqual(jobDifferences(job(), turned), { harmful: [], harmless: [] });
  assert.equal(jobDifferences(job("student.widths=[1, 2]"), job("student.widths=[2, 1]")).harmful.length, 1);
});
