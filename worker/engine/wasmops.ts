/** The ops on WebAssembly: composed from kernels the backend has, random numbers from the host. */
import type { Tensor, Tensor1D, Tensor2D } from "@tensorflow/tfjs";
import { randomStream } from "../../core/random.ts";
import type { Ops, TF } from "./engine.ts";

export function wasmOps(tf: TF): Ops {
  return {
    // Its adds do not flush denormals, the host's adder does: lanes are added on the host.
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
      const size = shape.reduce((product, side) => product * side, 1);
      // 24 bits, which float32 holds exactly: never rounded up to 1.
      const values = Float32Array.from({ length: size }, () => Math.floor(next() * 2 ** 24) / 2 ** 24);
      return tf.tensor(values, [...shape], "float32");
    },

    batchNorm(x, scale, offset, epsilon) {
      const axes = x.shape.map((_, axis) => axis).slice(0, -1);
      const statistics: Tensor1D[] = [];
      const normalised = tf.customGrad((input, gain, shift, save) => {
        const { mean, variance } = tf.moments(input as Tensor, axes);
        const inverse = variance.add(epsilon).rsqrt();
        const centred = (input as Tensor).sub(mean).mul(inverse);
        statistics.push(tf.keep(mean.clone()) as Tensor1D, tf.keep(variance.clone()) as Tensor1D);
        (save as (tensors: Tensor[]) => void)([centred, gain as Tensor, inverse]);
        const gradFunc = (dy: Tensor, tensors: Tensor[]) => {
          const [xHat, savedGain, inverseDeviation] = tensors as [Tensor, Tensor, Tensor];
          const count = dy.size / dy.shape.at(-1)!;
          const dShift = dy.sum(axes);
          const dGain = dy.mul(xHat).sum(axes);
          // Ioffe and Szegedy 2015, section 3, gathered into one expression.
          const dx = dy.sub(dShift.div(count)).sub(xHat.mul(dGain.div(count))).mul(savedGain.mul(inverseDeviation));
          return [dx, dGain, dShift];
        };
        return { value: centred.mul(gain as Tensor).add(shift as Tensor), gradFunc: gradFunc as never };
      });
      const y = normalised(x, scale, offset);
      return { y, mean: statistics[0]!, variance: statistics[1]! };
    },
  };
}
