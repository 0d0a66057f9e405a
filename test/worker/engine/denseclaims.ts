/** What holds of an engine's own dense layer: it is what tfjs composes, and so are its gradients. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Tensor, Tensor1D, Tensor2D } from "@tensorflow/tfjs";
import type { DenseLayer, Engine } from "../../../worker/engine/engine.ts";
import { draws, near } from "./near.ts";

const [rows, inputs, units] = [5, 7, 3];

export function denseClaims({ tf, ops }: Engine): void {
  const dense = ops.dense!;
  const tensors = (): [Tensor2D, Tensor2D, Tensor1D] => [
    tf.tensor2d(draws(rows * inputs, 1), [rows, inputs]),
    tf.tensor2d(draws(inputs * units, 2), [inputs, units]),
    tf.tensor1d(draws(units, 3)),
  ];
  const composed = (x: Tensor, kernel: Tensor, bias: Tensor | null, activation: DenseLayer["activation"]) => {
    const product = tf.matMul(x, kernel);
    const shifted = bias ? tf.add(product, bias) : product;
    return activation === "relu" ? tf.relu(shifted) : shifted;
  };

  for (const activation of ["linear", "relu"] as const) {
    for (const biased of ["with", "without"] as const) {
      test(`a ${activation} dense layer ${biased} bias and its gradients are those that tfjs composes`, () => {
        tf.tidy(() => {
          const given = tensors().slice(0, biased === "with" ? 3 : 2) as Tensor[];
          const weights = tf.tensor2d(draws(rows * units, 4), [rows, units]);
          const own = (x: Tensor, kernel: Tensor, bias?: Tensor) =>
            dense(x as Tensor2D, { kernel: kernel as Tensor2D, bias: (bias ?? null) as Tensor1D | null, activation });
          const tfjs = (x: Tensor, kernel: Tensor, bias?: Tensor) => composed(x, kernel, bias ?? null, activation);
          const [found, expected] = [own, tfjs].map((layer) => {
            const loss = (...each: Tensor[]) => tf.sum(tf.mul(layer(each[0]!, each[1]!, each[2]), weights));
            return [layer(given[0]!, given[1]!, given[2]), ...tf.grads(loss as never)(given)];
          });
          expected!.forEach((tensor, index) => {
            assert.deepEqual(found![index]!.shape, tensor.shape);
            near(found![index]!.dataSync(), tensor.dataSync(), 1e-5);
          });
        });
      });
    }
  }

  test("a dense layer leaves behind what it returns and nothing else (L8)", () => {
    const [x, kernel, bias] = tensors();
    const before = tf.memory().numTensors;
    const y = dense(x, { kernel, bias, activation: "relu" });
    assert.equal(tf.memory().numTensors, before + 1);
    const gradient = tf.grad((each) => dense(each as Tensor2D, { kernel, bias, activation: "relu" }))(x);
    assert.equal(tf.memory().numTensors, before + 2);
    tf.dispose([x, kernel, bias, y, gradient]);
  });
}
