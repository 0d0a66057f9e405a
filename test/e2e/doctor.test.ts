/** The doctor as a user meets it. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { stringify } from "yaml";
import type { Finding } from "../../core/doctor/finding.ts";
import { jobWith, nearestMean, reordered, savedTeacher } from "../doctor/patients.ts";
import { finishedRun, limbeck, recordedEvents, scratchFolder } from "./limbeck.ts";

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
