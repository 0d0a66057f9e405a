/** Whole jobs whose teacher is of another kind: the network that the smoke job trains, in other hands. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { readModelFolder } from "../../worker/artifacts/tfjs.ts";
import { asPerceptron, nearestMean } from "../doctor/patients.ts";
import { type FinishedRun, finishedRun, limbeck, scratchFolder, startedRun } from "../e2e/limbeck.ts";
import { makeCertificates, serverCredentials } from "../worker/inference/certificates.ts";
import { serveKserve } from "../worker/inference/kserve.ts";
import { onnxFile } from "../worker/inference/onnxfile.ts";
import type { Perceptron } from "../worker/inference/perceptron.ts";

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
    ...["--set", "softTargets.onNoTeacher=fail"],
  );
  assert.equal(away.code, 1);
  assert.match(away.stderr, /teacher\.remote: digits at 127\.0\.0\.1:9 is away: no answer in 1 s: .*ECONNREFUSED/);
  for (const { stderr } of [lost, away]) assert.doesNotMatch(stderr, /\n\s+at /, "a stack trace");
});

test("a server that is away before the first step and again in the middle is waited for, and no bit changes", async (t) => {
  const folder = await scratchFolder(t);
  makeCertificates(folder);
  const [token, secret] = [join(folder, "token"), "not-to-be-seen"];
  writeFileSync(token, secret);
  const teacher = asPerceptron(await nearestMean());
  const serve = async (port = 0) => {
    const security = { credentials: serverCredentials(folder, "server"), authorization: () => `Bearer ${secret}` };
    const server = await serveKserve(teacher, { shape: [-1, 784], port, ...security });
    t.after(server.close);
    return server;
  };
  const first = await serve();
  const remote = {
    ...{ address: first.address, model: "digits", timeoutSeconds: 1, tls: { ca: join(folder, "ca.pem") } },
    headers: [{ name: "authorization", prefix: "Bearer ", file: token }],
  };
  const args = [
    `teacher=${JSON.stringify({ remote })}`,
    "teach=",
    "baseline=false",
    "distil.epochs=12",
    "softTargets.cache=false",
  ].flatMap((each) => ["--set", each]);
  const undisturbed = await finishedRun(t, smoke, ...args);
  first.close();

  const run = await startedRun(t, ...args);
  const warned = (why: RegExp) => run.event((event) => event.kind === "worker-warned" && why.test(event.why));
  await warned(/^waits for teacher\.remote: digits at .* is away: no answer in 1 s: /);
  const port = Number(first.address.split(":")[1]);
  const begun = run.event(({ kind }) => kind === "stepped");
  const second = await serve(port);
  await begun;
  second.close();
  await warned(/^waits for a teacher: teacher-1: teacher\.remote: digits at .* is away: /);
  const over = warned(/^waits for no server any more$/);
  const third = await serve(port);
  await over;
  const { code, stdout, stderr } = await run.outcome;
  assert.equal(code, 0, stderr);
  assert.ok(third.rows.length > 0, "it was asked for what was missing");
  const report = JSON.parse(readFileSync(join(run.folder, "report.json"), "utf8"));
  assert.equal(report.student.weightsSha256, undisturbed.report.student.weightsSha256);
  assert.ok(!run.seen().some(({ kind }) => kind === "worker-lost"));
  const files = readdirSync(run.folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const shown = files.map(({ parentPath, name }) => readFileSync(join(parentPath, name), "latin1"));
  for (const text of [stdout, stderr, ...shown]) assert.ok(!text.includes(secret), "a token is never shown");
});
