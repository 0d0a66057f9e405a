/** Figures of an evaluation that are worked out by hand. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { classErrors, confusions } from "../../../core/evaluation/confusion.ts";
import { disputes } from "../../../core/evaluation/disputes.ts";
import { evaluationOf } from "../../../core/evaluation/evaluation.ts";
import { reliability } from "../../../core/evaluation/reliability.ts";

/** Rows of [label, predicted, confidence]. */
function answers(rows: readonly (readonly [number, number, number])[]) {
  return {
    labels: Uint16Array.from(rows, ([label]) => label),
    predictions: Uint16Array.from(rows, ([, predicted]) => predicted),
    confidences: Float32Array.from(rows, ([, , confidence]) => confidence),
  };
}

test("errors and accuracy follow from predictions and labels", () => {
  const { score, correct } = evaluationOf(
    answers([
      [0, 0, 1],
      [1, 0, 1],
      [2, 2, 1],
      [2, 2, 1],
    ]),
    0.5,
  );
  assert.deepEqual(score, { examples: 4, errors: 1, accuracy: 0.75, crossEntropy: 0.5 });
  assert.deepEqual(correct, Uint8Array.of(1, 0, 1, 1));
});

test("per class and per confusion, every error is counted once; a class without examples is there", () => {
  const given = answers([
    [0, 0, 1],
    [0, 2, 1],
    [0, 2, 1],
    [2, 0, 1],
    [2, 2, 1],
  ]);
  assert.deepEqual(classErrors(given, 4), [
    { examples: 3, errors: 2 },
    { examples: 0, errors: 0 },
    { examples: 2, errors: 1 },
    { examples: 0, errors: 0 },
  ]);
  assert.deepEqual(confusions(given), [
    { label: 0, predicted: 2, examples: 2 },
    { label: 2, predicted: 0, examples: 1 },
  ]);
});

test("the expected calibration error is that of Guo et al., bins closed above", () => {
  // Of four bins: (0.25, 0.5] holds 0.5 and 0.5, one right; (0.75, 1] holds 0.875 and 1, both right.
  const { ece, bins } = reliability(
    { confidences: Float32Array.of(0.5, 0.5, 0.875, 1), correct: Uint8Array.of(1, 0, 1, 1) },
    4,
  );
  assert.deepEqual(
    bins.map(({ examples, accuracy, confidence }) => [examples, accuracy, confidence]),
    [
      [0, 0, 0],
      [2, 0.5, 0.5],
      [0, 0, 0],
      [2, 1, 0.9375],
    ],
  );
  // 2/4 · |0.5 - 0.5| + 2/4 · |1 - 0.9375|
  assert.equal(ece, 0.03125);
  assert.equal(reliability({ confidences: Float32Array.of(1, 1), correct: Uint8Array.of(0, 0) }).ece, 1);
  assert.equal(reliability({ confidences: new Float32Array(0), correct: new Uint8Array(0) }).ece, 0);
  assert.equal(reliability({ confidences: Float32Array.of(0.5), correct: Uint8Array.of(1) }).bins.length, 15);
});

test("disputed most is what both are sure of, and differ on", () => {
  const teacher = answers([
    [0, 1, 0.5],
    [1, 1, 1],
    [2, 2, 0.75],
    [2, 2, 1],
  ]);
  const student = answers([
    [0, 0, 1],
    [1, 1, 1],
    [2, 0, 0.75],
    [2, 0, 0.25],
  ]);
  const found = disputes(teacher, student);
  assert.deepEqual(
    found.map(({ example }) => example),
    [2, 0, 3],
  );
  assert.deepEqual(found[1], {
    example: 0,
    label: 0,
    teacher: { predicted: 1, confidence: 0.5 },
    student: { predicted: 0, confidence: 1 },
  });
  assert.equal(disputes(teacher, student, 1).length, 1);
});
