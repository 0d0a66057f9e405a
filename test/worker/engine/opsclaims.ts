/** What holds of cross-entropy and random numbers on every engine. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Engine } from "../../../worker/engine/engine.ts";
import { draws, near } from "./near.ts";

export function opsClaims({ tf, ops }: Engine): void {
  function crossEntropy(logits: Float32Array | number[], targets: Float32Array | number[], classes: number) {
    return tf.tidy(() => {
      const shape: [number, number] = [logits.length / classes, classes];
      const { loss, gradient } = ops.softmaxCrossEntropy(tf.tensor2d(logits, shape), tf.tensor2d(targets, shape));
      assert.deepEqual([loss.shape, gradient.shape], [[shape[0]], shape]);
      return { loss: loss.dataSync(), gradient: gradient.dataSync() };
    });
  }

  test("cross-entropy of two classes is what a pocket calculator says", () => {
    // softmax([0, ln 3]) = [1/4, 3/4]; against itself its entropy, against the second class -ln 3/4.
    const { loss, gradient } = crossEntropy([0, Math.log(3), 0, Math.log(3)], [0.25, 0.75, 0, 1], 2);
    near(loss, [0.5623351, 0.2876821], 1e-6);
    near(gradient, [0, 0, 0.25, -0.25], 1e-6);
  });

  test("cross-entropy of logits far apart stays finite", () => {
    const { loss, gradient } = crossEntropy([1000, 0, -1000, 0], [0, 1, 0, 1], 2);
    near(loss, [1000, 0], 1e-6);
    near(gradient, [1, -1, 0, 0], 1e-6);
  });

  test("cross-entropy agrees with float64 on many soft rows", () => {
    const [rows, classes] = [64, 11];
    const logits = draws(rows * classes, 1).map((value) => value * 9);
    const targets = Float32Array.from(byRow(draws(rows * classes, 2), classes).flatMap(softmax));
    const { loss, gradient } = crossEntropy(logits, targets, classes);
    const given = byRow(targets, classes);
    const predicted = byRow(logits, classes).map(softmax);
    const expected = predicted.map((row, r) => row.reduce((sum, p, c) => sum - given[r]![c]! * Math.log(p), 0));
    near(loss, expected, 1e-5);
    near(
      gradient,
      predicted.flatMap((row, r) => row.map((p, c) => p - given[r]![c]!)),
      1e-5,
    );
  });

  test("uniform draws depend on shape and seed alone", () => {
    const drawn = (shape: readonly number[], seed: readonly [number, number]) =>
      tf.tidy(() => {
        const tensor = ops.uniform(shape, seed);
        assert.deepEqual([tensor.shape, tensor.dtype], [shape, "float32"]);
        return [...tensor.dataSync()];
      });
    const first = drawn([3, 5], [7, 0xffffffff]);
    const others: [number, number][] = [
      [7, 0],
      [0xffffffff, 7],
      [8, 0xffffffff],
      [7, 0x7fffffff],
    ];
    for (const seed of others) assert.notDeepEqual(drawn([3, 5], seed), first);
    assert.deepEqual(drawn([3, 5], [7, 0xffffffff]), first);
  });

  test("uniform draws fill [0,1) evenly", () => {
    const count = 200_000;
    const values = tf.tidy(() => ops.uniform([count], [1, 2]).dataSync<"float32">());
    assert.ok(values.every((value) => value >= 0 && value < 1));
    // Six standard deviations of the estimates.
    const mean = values.reduce((sum, value) => sum + value, 0) / count;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / count;
    assert.ok(Math.abs(mean - 1 / 2) < 6 * Math.sqrt(1 / 12 / count), `mean ${mean}`);
    assert.ok(Math.abs(variance - 1 / 12) < 6 * Math.sqrt(1 / 180 / count), `variance ${variance}`);
    const lag = values.reduce((sum, value, at) => sum + (value - mean) * ((values[at + 1] ?? mean) - mean), 0) / count;
    assert.ok(Math.abs(lag) < 6 / 12 / Math.sqrt(count), `neighbours' covariance ${lag}`);
  });

  test("the ops leave behind what they return and nothing else (L8)", () => {
    const before = tf.memory();
    const [logits, targets] = [tf.zeros([2, 3]) as never, tf.fill([2, 3], 1 / 3) as never];
    const { loss, gradient } = ops.softmaxCrossEntropy(logits, targets);
    const uniform = ops.uniform([4], [1, 2]);
    assert.equal(tf.memory().numTensors, before.numTensors + 5);
    tf.dispose([logits, targets, loss, gradient, uniform]);
    const after = tf.memory();
    assert.deepEqual([after.numTensors, after.numDataBuffers], [before.numTensors, before.numDataBuffers]);
  });
}

function byRow(values: Float32Array, classes: number): number[][] {
  return Array.from({ length: values.length / classes }, (_, row) => [
    ...values.subarray(row * classes, (row + 1) * classes),
  ]);
}

function softmax(row: readonly number[]): number[] {
  const sum = row.reduce((total, logit) => total + Math.exp(logit), 0);
  return row.map((logit) => Math.exp(logit) / sum);
}
