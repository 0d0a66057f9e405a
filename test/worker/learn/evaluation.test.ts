import assert from "node:assert/strict";
import { test } from "node:test";
import { argmaxRows, evaluateBatch } from "../../../worker/learn/evaluation.ts";

test("cross-entropy, predictions and confidences of a batch", () => {
  const logits = Float32Array.of(0, Math.log(3), 5, 5, 2000, 0);
  const { crossEntropy, predictions, labels, confidences } = evaluateBatch(logits, Int32Array.of(1, 1, 1), 2);
  // -ln(3/4) + ln 2 + 2000: no logit is too large.
  assert.ok(Math.abs(crossEntropy - (Math.log(4 / 3) + Math.LN2 + 2000)) < 1e-6);
  assert.deepEqual(predictions, Uint16Array.of(1, 0, 0));
  assert.deepEqual(labels, Uint16Array.of(1, 1, 1));
  assert.deepEqual(confidences, Float32Array.of(0.75, 0.5, 1));
});

test("of equal logits the lowest class wins", () => {
  assert.deepEqual(argmaxRows(Float32Array.of(1, 1, 0, -1, 3, 3), 2, 3), Uint16Array.of(0, 1));
});

test("logits that are not finite are no confidence", () => {
  const { confidences } = evaluateBatch(
    Float32Array.of(Number.NaN, 1, Number.POSITIVE_INFINITY, 1),
    Int32Array.of(0, 1),
    2,
  );
  assert.deepEqual(confidences, Float32Array.of(0, 0));
});

test("no examples are worth nothing", () => {
  assert.equal(evaluateBatch(new Float32Array(0), new Int32Array(0), 10).crossEntropy, 0);
});
