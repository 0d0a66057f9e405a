/** The doctor and the plan as a user meets them. */
import assert from "node:assert/strict";
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { stringify } from "yaml";
import { predictedRun } from "../../cli/savedplan.ts";
import type { Finding } from "../../core/doctor/finding.ts";
import { parseJob } from "../../core/jobfile.ts";
import type { Report } from "../../core/report.ts";
import { packagePath } from "../../proto/package.ts";
import { jobWith, nearestMean, reordered, savedTeacher } from "../doctor/patients.ts";
import { finishedRun, limbeck, recordedEvents, scratchFolder, waiting } from "./limbeck.ts";

const turned = [3, 4, 5, 6, 7, 8, 9, 0, 1, 2];

test("a job whose teacher has its classes in another order is refused before its first step, with the evidence", async (t) => {
  const folder = await scratchFolder(t);
  const file = join(folder, "turned.yaml");
  const teacher = await savedTeacher(t, reordered(await nearestMean(), turned));
  writeFileSync(file, stringify(jobWith(teacher, ["baseline=false", "engine=wasm"])));

  const examined = await limbeck("doctor", file);
  assert.equal(examined.code, 1);
  assert.match(
    examined.stdout,
    /doctor: teacher-accuracy: REFUSED, the teacher is right on \d+\.\d % .*\(output 0 is class 3/,
  );
  const { stdout } = await limbeck("doctor", file, "-o", "json");
  assert.equal((JSON.parse(stdout) as Finding[]).filter(({ severity }) => severity === "refusal").length, 1);

  const out = join(folder, "run");
  const refused = await limbeck("run", file, "--out", out);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /the doctor refuses this job: teacher-accuracy: the teacher is right on/);
  assert.doesNotMatch(refused.stderr, /\n +at /, "no stack trace");
  const events = recordedEvents(out);
  assert.ok(events.some(({ kind }) => kind === "diagnosed"));
  assert.ok(!events.some(({ kind }) => kind === "stepped"), "no step was taken");

  const brief = ["softTargets.cache=false", "distil.epochs=1"].flatMap((each) => ["--set", each]);
  const { report } = await finishedRun(t, file, "--no-doctor", "--students", "1", ...brief);
  assert.deepEqual(report.doctor, []);
});

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
