/** Teachers that are not trained here, as a job file says them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { parseJob } from "../../core/jobfile.ts";
import { refusal, replaced, text } from "./samplejob.ts";

const teach = "teach:\n  epochs: 1\n  optimizer: { kind: sgd, learningRate: 0.1 }\n";
const trained = "  kind: mlp\n  widths: [20, 20]";

/** The sample, its teacher this one. */
const jobOf = (teacher: string) => replaced(teach, "").replace(trained, teacher);

test("what is not said of a given teacher has a default", () => {
  const members = "  ensemble: [{ load: a, weight: 3 }, { remote: { address: 'triton:8001', model: digits } }]";
  assert.deepEqual(parseJob(jobOf(members), "job.yaml").teacher, {
    ensemble: [
      { load: "a", weight: 3 },
      { remote: { address: "triton:8001", model: "digits", timeoutSeconds: 30 }, weight: 1 },
    ],
    mean: "probabilities",
    workers: "together",
  });
  assert.deepEqual(parseJob(jobOf("  load: a"), "job.yaml").teacher, { load: "a" });
});

const mistakes: readonly [what: string, teacher: string, said: string][] = [
  [
    "a server without a port",
    "  remote: { address: triton, model: digits }",
    'job.yaml:12: teacher.remote.address: must be HOST:PORT, such as triton:8001, found "triton"',
  ],
  [
    "a format that is none",
    "  load: x\n  format: pytorch",
    'job.yaml:13: teacher.format: must be layers, graph, savedmodel or onnx, found "pytorch"',
  ],
  [
    "a misspelt field of a server",
    "  remote: { address: 'triton:8001', model: digits, layuot: nchw }",
    "job.yaml:12: teacher.remote.layuot: unknown key; did you mean layout?",
  ],
  [
    "a field of a server beside it",
    "  remote: { address: 'triton:8001', model: digits }\n  layout: nchw",
    "job.yaml:13: teacher.layout: does not go with remote",
  ],
  [
    "a certificate without its key",
    "  remote: { address: 'triton:8001', model: digits, tls: { ca: a.pem, cert: b.pem } }",
    "job.yaml:12: teacher.remote.tls.key: needed beside cert: a certificate and its key are one",
  ],
  [
    "a token in the clear",
    "  remote: { address: 'triton:8001', model: digits, headers: [{ name: authorization, env: TOKEN }] }",
    "job.yaml:12: teacher.remote.headers: would travel for all to read: give tls, too; {} where the server's certificate needs no more",
  ],
  [
    "a header from nowhere",
    "  remote: { address: 'triton:8001', model: digits, tls: {}, headers: [{ name: authorization }] }",
    "job.yaml:12: teacher.remote.headers.0: give either file or env: where the value is",
  ],
  [
    "a header that gRPC would not send",
    "  remote: { address: 'triton:8001', model: digits, tls: {}, headers: [{ name: X-Token, env: TOKEN }] }",
    'job.yaml:12: teacher.remote.headers.0.name: must be lower-case letters, digits, dashes, dots and underscores, found "X-Token"',
  ],
  [
    "an ensemble of one",
    "  ensemble: [{ load: a }]",
    "job.yaml:12: teacher.ensemble: must have at least 2 entries, found 1",
  ],
  [
    "a member of no weight",
    "  ensemble: [{ load: a }, { load: b, weight: 0 }]",
    "job.yaml:12: teacher.ensemble.1.weight: must be greater than 0, found 0",
  ],
  [
    "fewer workers than members that need one each",
    "  ensemble: [{ load: a }, { load: b }]\n  workers: apart",
    "job.yaml:13: teacher.workers: the 2 members of teacher.ensemble, served apart, need a worker each: give at least 2, found 1, or set teacher.workers to together",
  ],
  [
    "a member that is to be trained",
    "  ensemble: [{ load: a }, { kind: mlp, widths: [5] }]",
    "job.yaml:12: teacher.ensemble.1: must have load or remote, found kind, widths",
  ],
];
for (const [what, teacher, said] of mistakes) {
  test(`refused with its line: ${what}`, () => assert.equal(refusal(jobOf(teacher)), said));
}

test("a student must be one that can be trained", () => {
  const remote = "student:\n  remote: { address: 'triton:8001', model: digits }";
  const job = text.replace(/student:\n(?: .*\n)+/, `${remote}\n`);
  assert.equal(refusal(job), "job.yaml:14: student: must have kind: mlp, kind: cnn, load or module, found remote");
});
