/** An ensemble of small models whose members have workers of their own: the result is that of one worker that asks all. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { ProgressEvent } from "../../core/events.ts";
import type { Report } from "../../core/report.ts";
import { begunRun, type FinishedRun, finishedRun, limbeck, scratchFolder } from "../e2e/limbeck.ts";
import { onnxFile } from "../worker/inference/onnxfile.ts";
import { perceptron } from "../worker/inference/perceptron.ts";

const smoke = "examples/smoke.yaml";
const set = (...assignments: string[]) => assignments.flatMap((assignment) => ["--set", assignment]);

type Workers = "together" | "apart";
type TermOpened = Extract<ProgressEvent, { kind: "term-opened" }>;
type Dealt = Extract<ProgressEvent, { kind: "term-opened" | "teachers-changed" }>;

/** A network in a file, with weights that are drawn. */
async function drawnModel(t: TestContext, seed: number): Promise<string> {
  const path = join(await scratchFolder(t), "drawn.onnx");
  writeFileSync(path, onnxFile(perceptron(seed, 28 * 28, 10), ["batch", 28, 28, 1]));
  return path;
}

const teacherOf = (members: readonly object[], workers: Workers) => [
  ...set(`teacher=${JSON.stringify({ ensemble: members, workers })}`, "teach=", "baseline=false"),
];

function assertSame(one: FinishedRun, other: FinishedRun): void {
  for (const model of ["teacher", "student"] as const) {
    assert.equal(one.report[model].weightsSha256, other.report[model].weightsSha256, model);
    assert.equal(one.report[model].test.crossEntropy, other.report[model].test.crossEntropy);
  }
}

test("members apart or together, one student or two, cached or not: the same weights (L1)", async (t) => {
  const taught = await finishedRun(t, smoke, ...set("baseline=false", "distil.steps=1", "distil.epochs="));
  const members = [
    { load: join(taught.folder, "teacher"), weight: 2 },
    { load: await drawnModel(t, 1), weight: 0.2 },
  ];
  const stores = await scratchFolder(t);
  const run = (workers: Workers, crew: readonly [number, number], ...more: string[]) => {
    const counts = ["--students", `${crew[0]}`, "--teachers", `${crew[1]}`];
    // The doctor looks at the mixture, and canaries ask again for it.
    const common = ["distil.epochs=1", "doctor.canaryEverySteps=1"];
    return finishedRun(t, smoke, ...teacherOf(members, workers), ...set(...common, ...more), ...counts);
  };
  // What short formats round is kept as the mixture, whoever made it.
  const kept = ["softTargets.format=float16", `softTargets.cache.dir=${stores}`];
  const whole = await run("together", [1, 1], "softTargets.format=float16", "softTargets.cache=false");
  const parts = await run("apart", [2, 3], ...kept);
  assertSame(parts, whole);
  assert.equal(parts.report.softTargets.requested, parts.report.ledger.seen);
  const last = parts.events.filter((event): event is TermOpened => event.kind === "term-opened").at(-1)!;
  assert.deepEqual(last.parts, { "teacher-1": 0, "teacher-2": 1, "teacher-3": 0 });
  const checks = parts.report.doctor.map(({ check, severity }) => `${check} ${severity}`);
  for (const check of ["replicas ok", "pairing ok"]) assert.ok(checks.includes(check), checks.join(", "));

  const read = await run("together", [1, 1], ...kept);
  assertSame(read, whole);
  assert.equal(parts.report.softTargets.cached, 0);
  assert.equal(read.report.softTargets.cached, read.report.ledger.seen);
});

test("one of a member's two workers dies, then a member's only one: the job goes on to the same weights", async (t) => {
  const members = [{ load: await drawnModel(t, 1) }, { load: await drawnModel(t, 2), weight: 3 }];
  const long = [
    "distil.epochs=50",
    "evaluation.everyEpochs=0",
    "softTargets.format=float32",
    "softTargets.cache=false",
  ];
  const settings = [...teacherOf(members, "apart"), ...set(...long), "--students", "1", "--no-doctor"];
  const run = await begunRun(t, ...settings, "--teachers", "3");
  const opened = async (isMeant: (parts: Readonly<Record<string, number>>) => boolean) => {
    const says = (each: ProgressEvent) => each.kind === "term-opened" || each.kind === "teachers-changed";
    const event = await run.event((each) => says(each) && isMeant((each as Dealt).parts ?? {}));
    return (event as Dealt).parts!;
  };
  const kill = async (victim: string) => {
    const without = opened((parts) => !(victim in parts));
    process.kill(run.workers.get(victim)!, "SIGKILL");
    return await without;
  };
  // It serves the same member as teacher-1, which goes on.
  assert.deepEqual(await kill("teacher-3"), { "teacher-1": 0, "teacher-2": 1 });
  const three = await opened((parts) => "teacher-3" in parts);
  const [only] = Object.entries(three).find(
    ([, part]) => Object.values(three).indexOf(part) === Object.values(three).lastIndexOf(part),
  )!;
  const two = await kill(only);
  assert.deepEqual(Object.values(two).sort(), [0, 1], "one of the two that have the other member takes it over");
  const { code, stderr } = await run.outcome;
  assert.equal(code, 0, stderr);
  const report = JSON.parse(readFileSync(join(run.folder, "report.json"), "utf8")) as Report;
  const undisturbed = await finishedRun(t, smoke, ...settings, "--teachers", "2");
  assert.equal(report.student.weightsSha256, undisturbed.report.student.weightsSha256);
});

test("fewer teachers than members are refused before anything starts", async () => {
  const members = [{ load: "a.onnx" }, { load: "b.onnx" }];
  const { code, stderr } = await limbeck("run", smoke, ...teacherOf(members, "apart"), "--teachers", "1");
  assert.equal(code, 2);
  assert.match(
    stderr,
    /workers\.teachers=1: the 2 members of teacher\.ensemble, served apart, need a worker each: give at/,
  );
});
