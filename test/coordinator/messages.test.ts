/** What comes in at the door is understood, or refused with what is wrong with it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { understand } from "../../coordinator/messages.ts";
import type { FromWorker } from "../../proto/gen/limbeck/v1/FromWorker.ts";
import { coordinatorService } from "../../proto/wire.ts";

function carried(message: FromWorker) {
  const { requestSerialize, requestDeserialize } = coordinatorService.Join;
  return understand(requestDeserialize(requestSerialize(message)));
}

test("classes are uint16 and confidences float32, little-endian, wherever they lie in the packet", () => {
  const chunk = {
    chunk: 1,
    examples: 2,
    crossEntropy: 0.5,
    predictions: Buffer.from([1, 0, 2, 1]),
    labels: Buffer.from([1, 0, 3, 0]),
    confidences: Buffer.from([0, 0, 0, 0x3f, 0, 0, 0x80, 0x3e]),
  };
  const message = carried({ term: 3, evaluated: { stage: "teach", step: 4, last: true, chunks: 2, results: [chunk] } });
  assert.ok(message.kind === "evaluated");
  assert.equal(message.term, 3);
  assert.deepEqual(message.results[0]!.predictions, Uint16Array.from([1, 258]));
  assert.deepEqual(message.results[0]!.labels, Uint16Array.from([1, 3]));
  assert.deepEqual(message.results[0]!.confidences, Float32Array.from([0.5, 0.25]));
});

const answers = { predictions: Buffer.alloc(4), labels: Buffer.alloc(4), confidences: Buffer.alloc(8) };
const chunk = { chunk: 0, examples: 2, ...answers };
const metrics = { examples: 8 };
const nonsense: readonly [name: string, message: FromWorker, says: RegExp][] = [
  ["no body", { term: 1 }, /without a body/],
  ["no name", { hello: { role: "student" } }, /without a name/],
  [
    "a name that a terminal obeys",
    { hello: { worker: "a\u001b[2J", role: "student" } },
    /cannot be called "a\\u001b\[2J": letters/,
  ],
  ["a name of two lines", { hello: { worker: "a\nb", role: "student" } }, /cannot be called "a\\nb"/],
  ["a name as long as a book", { hello: { worker: "a".repeat(1_000), role: "student" } }, /cannot be called "a{40}"/],
  ["an unknown role", { hello: { worker: "w", role: "king" } }, /w has the role king/],
  ["an unknown stage", { stageDone: { stage: "sleep", consumed: {} } }, /stage sleep/],
  ["no engine", { prepared: { dataset: {} } }, /prepared\.engine/],
  ["progress over no step", { progress: { stage: "teach", steps: 0, seconds: 1, metrics, phases: {} } }, /no step/],
  [
    "a chunk beyond the last",
    { evaluated: { stage: "teach", chunks: 1, results: [{ ...chunk, chunk: 1 }] } },
    /chunk 1 of 1/,
  ],
  [
    "a chunk cut short",
    { evaluated: { stage: "teach", chunks: 1, results: [{ ...chunk, labels: Buffer.alloc(1) }] } },
    /4 bytes of predictions, 1 of labels and 8 of/,
  ],
  [
    "a name that is none",
    { hello: { worker: "w".repeat(300), role: "student" } },
    /a worker cannot be called "w+": letters, digits .* at most 128$/,
  ],
  ["too many weights", { ready: { holds: Array<string>(99).fill("teach") } }, /99 stages whose weights it has/],
  ["an example of many dimensions", { prepared: { engine: {}, dataset: { shape: Array(9).fill(1) } } }, /9 dimensions/],
  ["a dataset of nothing", { prepared: { engine: {}, dataset: { trainExamples: 9 } } }, /without an example, a class/],
  ["more classes than there may be", { prepared: { engine: {}, dataset: { classes: 2 ** 31 } } }, /2147483648 classes/],
  ["time that is none", { heartbeat: { servingSeconds: Number.NaN } }, /serving_seconds is NaN/],
  ["steps that last for ever", progress({ seconds: Number.POSITIVE_INFINITY }), /seconds is Infinity/],
  ["a phase that ended before it began", progress({ phases: { compute: -1 } }), /compute is -1/],
  ["no number of examples", progress({ metrics: { examples: Number.NaN } }), /no step or no time/],
  ["findings that are no JSON", { diagnosed: { stage: "teach", findings: "[" } }, /findings is none/],
  ["findings nested too deep to be written again", deepFindings(200), /findings is none/],
  ["findings of another shape", { diagnosed: { stage: "teach", findings: '[{"check":1}]' } }, /findings is none/],
  ["a digest that is none", { digest: { stage: "teach", weightsSha256: "f".repeat(999) } }, /weights_sha256 has 999/],
];

function deepFindings(levels: number): FromWorker {
  const finding = { check: "loss", severity: "ok", message: "well", evidence: {}, more: 0 };
  const deep = `${"[".repeat(levels)}${"]".repeat(levels)}`;
  return { diagnosed: { stage: "teach", findings: JSON.stringify([finding]).replace('"more":0', `"more":${deep}`) } };
}

function progress(changes: object): FromWorker {
  return { progress: { stage: "teach", steps: 1, seconds: 1, metrics, phases: {}, ...changes } };
}

for (const [name, message, says] of nonsense) {
  test(`refused: ${name}`, () => {
    assert.throws(() => carried(message), { name: "LimbeckError", message: says });
  });
}

test("an engine without TensorFlow has no version of it; an unknown error code is internal", () => {
  const dataset = { trainExamples: 9, classes: 2, shape: [3] };
  const prepared = carried({ prepared: { engine: { backend: "wasm" }, dataset } });
  assert.equal(prepared.kind === "prepared" && prepared.engine.tensorflowVersion, null);
  const failed = carried({ failed: { code: "toString", message: "odd" } });
  assert.deepEqual(failed, { kind: "failed", term: 0, code: "internal", message: "odd" });
});

test("sentences are cut, and findings, which are JSON, are not", () => {
  const warned = carried({ warned: { why: `${"w".repeat(3_999)}\u{1f600}` } });
  assert.equal(warned.kind === "warned" && warned.why, `${"w".repeat(3_999)}\ufffd…`);
  const finding = { check: "models", severity: "ok", message: "m".repeat(9_000), evidence: { classes: null } };
  const diagnosed = carried({ diagnosed: { stage: "teach", findings: JSON.stringify([finding]) } });
  assert.deepEqual(diagnosed.kind === "diagnosed" && diagnosed.findings, [finding]);
});
