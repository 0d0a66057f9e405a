import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { parseJob } from "../../core/jobfile.ts";
import { planStages, stepsPerEpoch } from "../../core/stages.ts";
import { packagePath } from "../../proto/package.ts";

const smoke = readFileSync(packagePath("examples/smoke.yaml"), "utf8");
const jobWith = (...overrides: string[]) =>
  parseJob(smoke, "smoke.yaml", ["lanes={count: 4, batch: 32}", ...overrides]);

test("the last step of an epoch takes what is left, so it counts as a step", () => {
  assert.equal(stepsPerEpoch(jobWith(), 2000), 16);
  assert.equal(stepsPerEpoch(jobWith(), 2048), 16);
  assert.equal(stepsPerEpoch(jobWith(), 2049), 17);
});

test("a teacher is taught, a student distilled, and the same student trained without a teacher", () => {
  const [teach, distil, baseline, ...more] = planStages(
    jobWith("teach.epochs=3", "distil.epochs=", "distil.steps=7"),
    2000,
  );
  assert.deepEqual([teach?.stage, distil?.stage, baseline?.stage, more], ["teach", "distil", "baseline", []]);
  assert.deepEqual([teach?.steps, distil?.steps, baseline?.steps], [48, 7, 7]);
  assert.deepEqual([teach?.model, distil?.model], ["teacher", "student"]);
  assert.equal(teach?.soft, null);
  assert.ok(distil?.soft);
  assert.deepEqual(baseline, { ...distil, stage: "baseline", soft: null });
});

test("a loaded teacher trains no step; a baseline can be left out", () => {
  const stages = planStages(jobWith("teacher={load: x}", "teach=", "baseline=false"), 2000);
  assert.deepEqual(
    stages.map(({ stage, steps }) => [stage, steps > 0]),
    [
      ["teach", false],
      ["distil", true],
    ],
  );
  assert.equal(stages[0]?.training, null);
});
