/** Whole jobs whose teacher is of another kind: the network that the smoke job trains, in other hands. */
import assert from "node:assert/strict";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { readModelFolder } from "../../worker/artifacts/tfjs.ts";
import { serveKserve } from "../worker/inference/kserve.ts";
import { onnxFile } from "../worker/inference/onnxfile.ts";
import type { Perceptron } from "../worker/inference/perceptron.ts";
import { type FinishedRun, finishedRun, limbeck, scratchFolder } from "./limbeck.ts";

const smoke = "examples/smoke.yaml";

/** The smoke job, its teacher this one. */
function distilled(t: TestContext, teacher: object, ...args: string[]): Promise<FinishedRun> {
  const set = (assignment: string) => ["--set", assignment];
  return finishedRun(
    t,
    smoke,
    ...set(`teacher=${JSON.stringify(teacher)}`),
    ...set("teach="),
    ...set("distil.epochs=1"),
    ...set("baseline=false"),
    ...args,
  );
}

/** The dense layers of a teacher that a run left. */
async function perceptronIn(folder: string): Promise<Perceptron> {
  const { weightSpecs, weightData } = await readModelFolder(folder);
  let at = 0;
  const [kernel, bias, kernel2, bias2] = weightSpecs.map(({ shape }) => {
    const size = shape.reduce((product, side) => product * side, 1);
    at += size;
    return new Float32Array(weightData, 4 * (at - size), size);
  }) as [Float32Array, Float32Array, Float32Array, Float32Array];
  const [hidden, classes] = [bias.length, bias2.length];
  return { inputs: kernel.length / hidden, hidden, classes, kernel, bias, kernel2, bias2 };
}

test("the same network as LayersModel, ONNX, on a server and as ensemble teaches the same", async (t) => {
  const taught = await finishedRun(t, smoke, "--set", "baseline=false", "--set", "distil.epochs=1", "--students", "1");
  const folder = join(taught.folder, "teacher");
  const network = await perceptronIn(folder);
  const onnx = join(await scratchFolder(t), "teacher.onnx");
  writeFileSync(onnx, onnxFile(network, ["batch", 28, 28, 1]));
  const server = await serveKserve(network, { shape: [-1, 784] });
  t.after(server.close);
  const remote = { remote: { address: server.address, model: "digits" } };

  const runs = [
    await distilled(t, { load: onnx }, "--students", "2"),
    await distilled(t, remote, "--students", "1"),
    await distilled(t, { ensemble: [{ load: folder }, { load: onnx, weight: 2 }, remote] }, "--students", "1"),
  ];
  for (const { report, folder: left } of runs) {
    assert.equal(report.teacher.test.errors, taught.report.teacher.test.errors);
    assert.ok(Math.abs(report.teacher.test.crossEntropy - taught.report.teacher.test.crossEntropy) < 1e-4);
    assert.match(report.teacher.weightsSha256, /^[0-9a-f]{64}$/);
    assert.ok(report.student.test.accuracy > 0.25, `accuracy ${report.student.test.accuracy}`);
    assert.equal(report.softTargets.requested, report.ledger.seen);
    assert.ok(!existsSync(join(left, "teacher")), "a teacher that is given is not written again");
    assert.ok(!report.models.some(({ stage }) => stage === "teach"));
  }
  const teachers = new Set([taught, ...runs].map(({ report }) => report.teacher.weightsSha256));
  assert.equal(teachers.size, 4, "every kind has a digest of its own");
  assert.ok(server.rows.length > 0);

  const again = await distilled(t, { load: onnx }, "--students", "1");
  assert.equal(again.report.student.weightsSha256, runs[0]!.report.student.weightsSha256, "one student or two (L1)");
});

test("a teacher that is not there ends the job with its field and the reason", async () => {
  const sets = (teacher: object) => ["--set", `teacher=${JSON.stringify(teacher)}`, "--set", "teach="];
  const lost = await limbeck("run", smoke, ...sets({ load: "nowhere.onnx" }));
  assert.equal(lost.code, 1);
  assert.match(lost.stderr, /teacher\.load: there is no .*nowhere\.onnx/);
  const away = await limbeck(
    "run",
    smoke,
    ...sets({ remote: { address: "127.0.0.1:9", model: "digits", timeoutSeconds: 1 } }),
  );
  assert.equal(away.code, 1);
  assert.match(away.stderr, /teacher\.remote: no answer of digits at 127\.0\.0\.1:9 in 1 s: .*ECONNREFUSED/);
  for (const { stderr } of [lost, away]) assert.doesNotMatch(stderr, /\n\s+at /, "a stack trace");
});
