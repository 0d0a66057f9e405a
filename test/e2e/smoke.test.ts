/** The smoke job through the real distributed path: coordinator, teacher and students as processes that talk gRPC. */
import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { type FinishedRun, finishedRun } from "./limbeck.ts";

const smoke = "examples/smoke.yaml";

test("one student and three give the same weights, the ledger is whole (L1, L2), and the files promised are there", async (t) => {
  const one = await finishedRun(t, smoke, "--students", "1");
  const three = await finishedRun(t, smoke, "--students", "3");
  for (const model of ["teacher", "student", "baseline"] as const) {
    assert.match(one.report[model]!.weightsSha256, /^[0-9a-f]{64}$/);
    assert.equal(three.report[model]!.weightsSha256, one.report[model]!.weightsSha256, model);
    assert.deepEqual(three.report[model]!.test, one.report[model]!.test, model);
  }
  assert.notEqual(one.report.student.weightsSha256, one.report.baseline!.weightsSha256);

  const { ledger } = three.report;
  assert.equal(ledger.seen, ledger.examplesPerEpoch * three.report.epochs);
  assert.equal(ledger.duplicated, 0);
  assert.equal(ledger.missing, 0);
  // A term that broke, as on a machine with too much to do, has asked ahead for some that the next asks for again.
  const broken = three.events.some(
    (event) => event.kind === "term-opened" && !["start", "stage"].includes(event.reason),
  );
  const { requested } = three.report.softTargets;
  if (broken) assert.ok(requested >= ledger.seen);
  else assert.equal(requested, ledger.seen, "every example's soft targets were asked for once");
  leavesWhatItPromises(three);
});

function leavesWhatItPromises({ folder, events }: FinishedRun): void {
  const models = ["teacher", "student", "student-float16", "student-uint8"];
  for (const model of models) assert.ok(existsSync(join(folder, model, "model.json")), model);
  for (const file of ["report.json", "events.jsonl", "job.yaml"]) assert.ok(existsSync(join(folder, file)), file);
  assert.ok(readdirSync(join(folder, "checkpoints")).some((name) => name.startsWith("distil-")));
  assert.equal(events[0]!.kind, "job-started");
  assert.equal(events.at(-1)!.kind, "job-finished");
  assert.deepEqual(
    readdirSync(folder).filter((name) => name.includes("tmp")),
    [],
  );
}

test("numerics fast trains too, on the wasm engine, without a baseline, and counts every example once", async (t) => {
  const set = ["numerics=fast", "baseline=false"].flatMap((each) => ["--set", each]);
  const { report } = await finishedRun(t, smoke, "--engine", "wasm", ...set);
  assert.equal(report.numerics, "fast");
  assert.equal(report.engine.backend, "wasm");
  assert.equal(report.baseline, null);
  assert.equal(report.ledger.duplicated + report.ledger.missing, 0);
  assert.ok(report.student.test.accuracy > 0.5, `accuracy ${report.student.test.accuracy}`);
});
