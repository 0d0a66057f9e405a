/** Everything dies, and the run goes on where its last checkpoint is: the same final bits. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { Report } from "../../core/report.ts";
import { assertGone, begunRun, finishedRun, limbeck, recordedEvents } from "../e2e/limbeck.ts";

const smoke = "examples/smoke.yaml";
const set = ["--set", "baseline=false"];

test("killed in the middle of distilling and resumed with another student, a run ends with the same bits", async (t) => {
  const whole = await finishedRun(t, smoke, ...set);
  const run = await begunRun(t, ...set);
  await run.event((event) => event.kind === "checkpointed" && event.stage === "distil");
  for (const pid of [run.process.pid!, ...run.children]) process.kill(pid, "SIGKILL");
  await run.outcome;
  const before = recordedEvents(run.folder).length;

  const changed = await limbeck("run", smoke, "--resume", run.folder, ...set, "--set", "distil.temperature=8");
  assert.equal(changed.code, 2);
  assert.match(changed.stderr, /distil\.temperature: 4 in .*job\.yaml, 8 in examples\/smoke\.yaml/);
  assert.equal(recordedEvents(run.folder).length, before);

  // Where soft targets are kept decides nothing: a run may go on without.
  const uncached = ["--set", "softTargets.cache=false"];
  const resumed = await limbeck("run", smoke, "--resume", run.folder, ...set, ...uncached, "--students", "3");
  assert.equal(resumed.code, 0, resumed.stderr);
  assert.match(resumed.stdout, /goes on where it was: distil, about step \d+/);
  const report = JSON.parse(readFileSync(join(run.folder, "report.json"), "utf8")) as Report;
  assert.equal(report.student.weightsSha256, whole.report.student.weightsSha256);
  assert.equal(report.teacher.weightsSha256, whole.report.teacher.weightsSha256);
  assert.equal(report.ledger.duplicated + report.ledger.missing, 0);
  const stages = recordedEvents(run.folder).filter((event) => event.kind === "stage-finished");
  assert.deepEqual(
    stages.map((event) => event.kind === "stage-finished" && event.stage),
    ["teach", "distil"],
    "the teacher is not taught again",
  );

  await assertGone(run.children); // What they left in shared memory, the next life has swept.

  const again = await limbeck("run", smoke, "--resume", run.folder, ...set, ...uncached);
  assert.equal(again.code, 0);
  assert.match(again.stdout, /is finished; nothing is left to do[\s\S]*student agrees with teacher/);
});
