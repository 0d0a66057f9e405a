/** tfjs derives relu through `step`, which TensorFlow has no op for: the composite costs as much as a matrix product. */
import type * as tfjs from "@tensorflow/tfjs";
import type { TF } from "../engine/engine.ts";

/** Makes relu's gradient dy · sign(y), the same values from two plain ops, for all models on this engine. */
export function registerReluGradient(tf: TF): void {
  tf.registerGradient({
    kernelName: tf.Relu,
    outputsToSave: [true],
    gradFunc: (dy, saved) => {
      const [y] = saved as [tfjs.Tensor];
      return { x: () => tf.mul(dy as tfjs.Tensor, tf.sign(y)) };
    },
  });
}
