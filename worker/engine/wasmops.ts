/** The ops on WebAssembly: composed from kernels the backend has, random numbers from the host. */

import type { Tensor, Tensor1D, Tensor2D } from "@tensorflow/tfjs";
import { sizeOf } from "../../core/layout.ts";
import { randomStream } from "../../core/random.ts";
import { batchNormOf } from "./batchnorm.ts";
import type { Ops, TF } from "./engine.ts";

export function wasmOps(tf: TF): Ops {
  return {
    // Its adds keep denormals, the host's adder flushes them: lanes are added on the host.
    addsOnDevice: false,

    softmaxCrossEntropy(logits, targets) {
      const [loss, gradient] = tf.tidy(() => {
        const shifted = logits.sub(logits.max(1, true));
        const logSum = shifted.exp().sum(1, true).log();
        const logProbabilities = shifted.sub(logSum);
        return [targets.mul(logProbabilities).sum(1).neg(), logProbabilities.exp().sub(targets)];
      });
      return { loss: loss as Tensor1D, gradient: gradient as Tensor2D };
    },

    uniform(shape, seed) {
      const next = randomStream(...seed);
      const size = sizeOf(shape);
      // 24 bits, which float32 holds exactly: never rounded up to 1.
      const values = Float32Array.from({ length: size }, () => Math.floor(next() * 2 ** 24) / 2 ** 24);
      return tf.tensor(values, [...shape], "float32");
    },

    // Its products take so long that what tfjs adds to them does not matter.
    dense: null,

    batchNorm: batchNormOf(tf, {
      forward(x, scale, offset, epsilon) {
        const { mean, variance } = tf.moments(x, allButLast(x));
        const inverseDeviation = variance.add(epsilon).rsqrt();
        const normalised = x.sub(mean).mul(inverseDeviation);
        const y = normalised.mul(scale).add(offset);
        return { y, mean, variance, saved: [normalised, scale, inverseDeviation] };
      },

      // Ioffe and Szegedy 2015, section 3, gathered into one expression.
      backward(dy, saved) {
        const [normalised, scale, inverseDeviation] = saved as [Tensor, Tensor, Tensor];
        const axes = allButLast(dy);
        const count = dy.size / dy.shape.at(-1)!;
        const byOffset = dy.sum(axes);
        const byScale = dy.mul(normalised).sum(axes);
        const centred = dy.sub(byOffset.div(count)).sub(normalised.mul(byScale.div(count)));
        return [centred.mul(scale.mul(inverseDeviation)), byScale, byOffset];
      },
    }),
  };
}

const allButLast = (x: Tensor): number[] => x.shape.map((_, axis) => axis).slice(0, -1);
