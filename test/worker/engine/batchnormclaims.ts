/** What holds of batch norm on every engine: it is the formula, and so are its gradients. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Tensor, Tensor1D } from "@tensorflow/tfjs";
import type { Engine } from "../../../worker/engine/engine.ts";
import { draws, near } from "./near.ts";

const epsilon = 1e-3;

interface Case {
  readonly x: Float32Array;
  readonly scale: Float32Array;
  readonly offset: Float32Array;
  /** The loss is the sum of y times these. */
  readonly weights: Float32Array;
}

export function batchNormClaims({ tf, ops }: Engine): void {
  for (const shape of [
    [6, 3],
    [2, 3, 4, 3],
    [5, 2, 3],
  ]) {
    const channels = shape.at(-1)!;
    const size = shape.reduce((product, side) => product * side, 1);
    const sample: Case = {
      x: draws(size, 1).map((value) => value * 3 + 2),
      scale: draws(channels, 2).map((value) => value + 1.5),
      offset: draws(channels, 3),
      weights: draws(size, 4),
    };
    const tensors = () => [tf.tensor(sample.x, shape), tf.tensor1d(sample.scale), tf.tensor1d(sample.offset)] as const;

    test(`batch norm of [${shape}] normalises by the batch's own statistics`, () => {
      const expected = reference(sample);
      tf.tidy(() => {
        const { y, mean, variance } = ops.batchNorm(...tensors(), epsilon);
        assert.deepEqual([y.shape, mean.shape, variance.shape], [shape, [channels], [channels]]);
        near(y.dataSync(), expected.y, 1e-5);
        near(mean.dataSync(), expected.mean, 1e-5);
        near(variance.dataSync(), expected.variance, 1e-5);
      });
    });

    test(`the gradients of batch norm of [${shape}] agree with finite differences`, () => {
      const weights = tf.tensor(sample.weights, shape);
      const loss = (x: Tensor, scale: Tensor, offset: Tensor) =>
        ops
          .batchNorm(x, scale as Tensor1D, offset as Tensor1D, epsilon)
          .y.mul(weights)
          .sum();
      const gradients = tf.tidy(() => tf.grads(loss as never)([...tensors()]));
      const found = gradients.map((gradient) => gradient.dataSync());
      tf.dispose([weights, ...gradients]);
      near(found[0]!, slopes(sample, "x"), 1e-4);
      near(found[1]!, slopes(sample, "scale"), 1e-4);
      near(found[2]!, slopes(sample, "offset"), 1e-4);
    });
  }

  test("batch norm leaves behind what it returns and nothing else, with and without gradients (L8)", () => {
    const inputs = [tf.tensor(draws(24, 1), [2, 2, 2, 3]), tf.ones([3]), tf.zeros([3])] as never as [
      Tensor,
      Tensor1D,
      Tensor1D,
    ];
    const before = tf.memory();
    const { y, mean, variance } = ops.batchNorm(...inputs, epsilon);
    assert.equal(tf.memory().numTensors, before.numTensors + 3);
    tf.dispose([y, mean, variance]);
    const kept: Tensor[] = [];
    const loss = (...given: Tensor[]) => {
      const { y, mean, variance } = ops.batchNorm(...(given as typeof inputs), epsilon);
      kept.push(tf.keep(mean), tf.keep(variance));
      return y.sum();
    };
    const { value, grads } = tf.valueAndGrads(loss as never)(inputs);
    assert.equal(tf.memory().numTensors, before.numTensors + 6);
    tf.dispose([value, ...grads, ...kept]);
    const after = tf.memory();
    assert.deepEqual([after.numTensors, after.numDataBuffers], [before.numTensors, before.numDataBuffers]);
    tf.dispose(inputs);
  });
}

/** In float64. */
function reference({ x, scale, offset, weights }: { readonly [K in keyof Case]: ArrayLike<number> }) {
  const channels = scale.length;
  const values = Array.from(x);
  const count = values.length / channels;
  const mean = Array.from<number>({ length: channels }).fill(0);
  const variance = [...mean];
  values.forEach((value, at) => {
    mean[at % channels]! += value / count;
  });
  values.forEach((value, at) => {
    variance[at % channels]! += (value - mean[at % channels]!) ** 2 / count;
  });
  const y = values.map((value, at) => {
    const c = at % channels;
    return ((value - mean[c]!) / Math.sqrt(variance[c]! + epsilon)) * scale[c]! + offset[c]!;
  });
  return { y, mean, variance, loss: y.reduce((sum, value, at) => sum + value * weights[at]!, 0) };
}

function slopes(sample: Case, input: "x" | "scale" | "offset"): number[] {
  const width = 1e-5;
  return Array.from(sample[input], (_, at) => {
    const lossAt = (by: number) => {
      const moved = Array.from(sample[input]);
      moved[at]! += by;
      return reference({ ...sample, [input]: moved }).loss;
    };
    return (lossAt(width) - lossAt(-width)) / (2 * width);
  });
}
