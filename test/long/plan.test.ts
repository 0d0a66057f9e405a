/** The plan as a user meets it. */
import assert from "node:assert/strict";
import { copyFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { predictedRun } from "../../cli/savedplan.ts";
import { parseJob } from "../../core/jobfile.ts";
import type { Report } from "../../core/report.ts";
import { packagePath } from "../../proto/package.ts";
import { finishedRun, limbeck, scratchFolder, waiting } from "../e2e/limbeck.ts";

test("what was planned stands beside what was, in the report", async (t) => {
  const folder = await scratchFolder(t);
  const file = join(folder, "smoke.yaml");
  copyFileSync(packagePath("examples/smoke.yaml"), file);
  // Neither side's figures are looked at, only that they are there.
  const settings = ["baseline=false", "engine=wasm", `teacher=${waiting}`, `student=${waiting}`];
  const set = settings.flatMap((each) => ["--set", each]);
  const planned = await limbeck("plan", file, "--save", "-o", "json", "--workers", "3", ...set);
  assert.equal(planned.code, 0, planned.stderr);
  const { asGiven, others, disk, cache } = JSON.parse(planned.stdout);
  assert.deepEqual([asGiven.students, asGiven.teachers, others.length], [2, 1, 1]);
  assert.ok(asGiven.stages.every(({ stepSeconds }: { stepSeconds: number }) => stepSeconds > 0 && stepSeconds < 60));
  assert.ok(disk.bytes > 0 && disk.freeBytes > 0 && cache.bytes === 2000 * 32);

  const { report, stdout } = await finishedRun(t, file, ...set);
  const { predicted, real } = (report as Report).plan!;
  assert.deepEqual(predicted, asGiven);
  assert.deepEqual(
    real.stages.map(({ stage }) => stage),
    ["teach", "distil"],
  );
  assert.ok(real.stages.every(({ stepSeconds }) => stepSeconds > 0));
  assert.ok(!stdout.includes("replicas: REFUSED"));
  assert.deepEqual(
    report.doctor.filter(({ severity }) => severity === "refusal" || severity === "warning"),
    [],
  );

  const workers = { students: 2, teachers: 1 };
  const text = readFileSync(file, "utf8");
  assert.deepEqual(await predictedRun(file, parseJob(text, file, settings), workers), asGiven);
  const another = parseJob(text, file, [...settings, "lanes.batch=64"]);
  assert.equal(await predictedRun(file, another, workers), null, "another job was planned");
});
