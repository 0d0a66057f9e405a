/** Batch norm as tfjs differentiates it, from the computations a backend has for it. */
import type { Tensor, Tensor1D } from "@tensorflow/tfjs";
import type { Ops, TF } from "./engine.ts";

/** The sums over the batch, forward and backward. Intermediates are freed for it. */
export interface Normalization {
  /** The statistics are [channels], the variance biased; `saved` is what `backward` needs. */
  forward(
    x: Tensor,
    scale: Tensor1D,
    offset: Tensor1D,
    epsilon: number,
  ): { y: Tensor; mean: Tensor; variance: Tensor; saved: Tensor[] };

  /** Gradients by x, scale and offset. */
  backward(dy: Tensor, saved: readonly Tensor[], epsilon: number): [Tensor, Tensor, Tensor];
}

export function batchNormOf(tf: TF, { forward, backward }: Normalization): Ops["batchNorm"] {
  return (x, scale, offset, epsilon) => {
    const statistics: Tensor[] = [];
    // The types say less than what tfjs passes and takes: any number of gradients, and `save` as the last argument.
    const differentiable = tf.customGrad(((x: Tensor, scale: Tensor1D, offset: Tensor1D, save: Save) => {
      const { y, mean, variance, saved } = forward(x, scale, offset, epsilon);
      save(saved);
      statistics.push(tf.keep(mean), tf.keep(variance));
      return { value: y, gradFunc: (dy: Tensor, saved: Tensor[]) => backward(dy, saved, epsilon) };
    }) as never);
    const y = differentiable(x, scale, offset);
    // Kept, they outlived customGrad's own scope; from here they are the caller's like any result.
    const [mean, variance] = statistics.map((kept) => {
      const own = kept.clone();
      kept.dispose();
      return own as Tensor1D;
    });
    return { y, mean: mean!, variance: variance! };
  };
}

type Save = (tensors: Tensor[]) => void;
