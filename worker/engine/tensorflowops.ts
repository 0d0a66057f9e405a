/** The ops on TensorFlow: one raw op each where tfjs would compose many. */
import type { Tensor, Tensor1D, Tensor2D } from "@tensorflow/tfjs";
import { batchNormOf } from "./batchnorm.ts";
import type { Ops, TF } from "./engine.ts";
import { tensorflowDense } from "./tensorflowdense.ts";

/** What of tfjs-node's backend is used; its type declarations leave these out. */
export interface TensorFlowBackend {
  readonly binding: {
    readonly TF_Version: string;
    readonly TF_ATTR_TYPE: number;
    readonly TF_ATTR_FLOAT: number;
    readonly TF_ATTR_BOOL: number;
    readonly TF_ATTR_STRING: number;
    readonly TF_FLOAT: number;
    readonly TF_INT32: number;
  };
  readonly isUsingGpuDevice: boolean;
  executeSingleOutput(name: string, attributes: readonly Attribute[], inputs: readonly Tensor[]): Tensor;
  executeMultipleOutputs(
    name: string,
    attributes: readonly Attribute[],
    inputs: readonly Tensor[],
    outputs: number,
  ): Tensor[];
}

export interface Attribute {
  readonly name: string;
  readonly type: number;
  readonly value: number | boolean | string;
}

export function tensorflowOps(tf: TF, backend: TensorFlowBackend): Ops {
  const { binding } = backend;
  const type = (name: string, value: number): Attribute => ({ name, type: binding.TF_ATTR_TYPE, value });
  const float32 = type("T", binding.TF_FLOAT);

  /** The fused op takes rank 4; other ranks differ only in how many axes are averaged over. */
  const asImages = (x: Tensor): Tensor => (x.rank === 4 ? x : x.reshape([-1, 1, 1, x.shape.at(-1)!]));

  const normAttributes = (epsilon: number): readonly Attribute[] => [
    float32,
    type("U", binding.TF_FLOAT),
    { name: "epsilon", type: binding.TF_ATTR_FLOAT, value: epsilon },
    { name: "data_format", type: binding.TF_ATTR_STRING, value: "NHWC" },
    { name: "is_training", type: binding.TF_ATTR_BOOL, value: true },
  ];

  return {
    // Both flush denormals.
    addsOnDevice: true,

    softmaxCrossEntropy(logits, targets) {
      const inputs = [logits, targets];
      const outputs = backend.executeMultipleOutputs("SoftmaxCrossEntropyWithLogits", [float32], inputs, 2);
      return { loss: outputs[0] as Tensor1D, gradient: outputs[1] as Tensor2D };
    },

    uniform(shape, seed) {
      return tf.tidy(() => {
        const int32 = binding.TF_INT32;
        const attributes = [type("dtype", binding.TF_FLOAT), type("T", int32), type("Tseed", int32)];
        // The seed's 32 bits, as the signed numbers an int32 tensor holds.
        const words = tf.tensor1d(Int32Array.from(seed), "int32");
        return backend.executeSingleOutput("StatelessRandomUniform", attributes, [
          tf.tensor1d([...shape], "int32"),
          words,
        ]);
      });
    },

    dense: tensorflowDense(tf, backend),

    batchNorm: batchNormOf(tf, {
      forward(x, scale, offset, epsilon) {
        const images = asImages(x);
        const none = tf.tensor1d([]); // Running averages, which training does not read.
        const inputs = [images, scale, offset, none, none];
        const outputs = backend.executeMultipleOutputs("FusedBatchNormV3", normAttributes(epsilon), inputs, 6);
        const [y, mean, unbiased, ...reserved] = outputs as [Tensor, Tensor, Tensor, ...Tensor[]];
        // The op gives the unbiased variance, for running averages; tfjs's layers average the biased one.
        const count = images.size / images.shape.at(-1)!;
        const variance = unbiased.mul((count - 1) / count);
        return { y: y.reshape(x.shape), mean, variance, saved: [images, scale, ...reserved] };
      },

      backward(dy, [images, scale, ...reserved], epsilon) {
        const inputs = [asImages(dy), images!, scale!, ...reserved];
        const outputs = backend.executeMultipleOutputs("FusedBatchNormGradV3", normAttributes(epsilon), inputs, 5);
        return [outputs[0]!.reshape(dy.shape), outputs[1]!, outputs[2]!];
      },
    }),
  };
}
