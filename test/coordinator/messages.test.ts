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
];

for (const [name, message, says] of nonsense) {
  test(`refused: ${name}`, () => {
    assert.throws(() => carried(message), { name: "LimbeckError", message: says });
  });
}

test("an engine without TensorFlow has no version of it; an unknown error code is internal", () => {
  const prepared = carried({ prepared: { engine: { backend: "wasm" }, dataset: {} } });
  assert.equal(prepared.kind === "prepared" && prepared.engine.tensorflowVersion, null);
  const failed = carried({ failed: { code: "toString", message: "odd" } });
  assert.deepEqual(failed, { kind: "failed", term: 0, code: "internal", message: "odd" });
});
