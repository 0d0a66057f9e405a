/** The ops on TensorFlow: one raw op each where tfjs would compose many. */
import type { Tensor, Tensor1D, Tensor2D } from "@tensorflow/tfjs";
import type { Ops, TF } from "./engine.ts";

/** What of tfjs-node's backend is used; its type declarations leave these out. */
export interface TensorFlowBackend {
  readonly binding: { readonly TF_Version: string; readonly TF_ATTR_TYPE: number; readonly TF_ATTR_FLOAT: number; readonly TF_ATTR_BOOL: number; readonly TF_ATTR_STRING: number; readonly TF_FLOAT: number; readonly TF_INT32: number; readonly TF_INT64: number };
  readonly isUsingGpuDevice: boolean;
  executeSingleOutput(name: string, attributes: readonly Attribute[], inputs: readonly Tensor[]): Tensor;
  executeMultipleOutputs(name: string, attributes: readonly Attribute[], inputs: readonly Tensor[], outputs: number): Tensor[];
}

interface Attribute {
  readonly name: string;
  readonly type: number;
  readonly value: number | boolean | string;
}

export function tensorflowOps(tf: TF, backend: TensorFlowBackend): Ops {
  const { binding } = backend;
  const type = (name: string, value: number): Attribute => ({ name, type: binding.TF_ATTR_TYPE, value });
  const float32 = type("T", binding.TF_FLOAT);

  /** Rank 4 is what the fused op takes; other ranks differ only in how many axes are averaged over. */
  const asImages = <T extends Tensor>(x: T) => (x.rank === 4 ? x : x.reshape([-1, 1, 1, x.shape.at(-1)!]));

  const normAttributes = (epsilon: number): Attribute[] => [
    float32,
    type("U", binding.TF_FLOAT),
    { name: "epsilon", type: binding.TF_ATTR_FLOAT, value: epsilon },
    { name: "data_format", type: binding.TF_ATTR_STRING, value: "NHWC" },
    { name: "is_training", type: binding.TF_ATTR_BOOL, value: true },
  ];

  return {
    addsOnDevice: true,

    softmaxCrossEntropy(logits, targets) {
      const [loss, gradient] = backend.executeMultipleOutputs("SoftmaxCrossEntropyWithLogits", [float32], [logits, targets], 2);
      return { loss: loss as Tensor1D, gradient: gradient as Tensor2D };
    },

    uniform(shape, seed) {
      return tf.tidy(() => {
        const attributes = [type("dtype", binding.TF_FLOAT), type("T", binding.TF_INT32), type("Tseed", binding.TF_INT32)];
        // The seed's 32 bits, as the signed numbers an int32 tensor holds.
        const words = tf.tensor1d(Int32Array.from(seed, (word) => word | 0), "int32");
        return backend.executeSingleOutput("StatelessRandomUniform", attributes, [tf.tensor1d([...shape], "int32"), words]);
      });
    },

    batchNorm(x, scale, offset, epsilon) {
      const statistics: Tensor1D[] = [];
      const normalised = tf.customGrad((input, gain, shift, save) => {
        const images = asImages(input as Tensor);
        const empty = tf.tensor1d([]);
        const [y, mean, variance, saved1, saved2, saved3] = backend.executeMultipleOutputs("FusedBatchNormV3", normAttributes(epsilon), [images, gain as Tensor, shift as Tensor, empty, empty], 6);
        // The op gives the unbiased variance, for running averages; ours are of the biased one, as in tfjs-layers.
        const count = images.size / images.shape.at(-1)!;
        statistics.push(tf.keep(mean!.clone()) as Tensor1D, tf.keep(variance!.mul((count - 1) / count)) as Tensor1D);
        (save as (tensors: Tensor[]) => void)([images, gain as Tensor, saved1!, saved2!, saved3!]);
        const gradFunc = (dy: Tensor, tensors: Tensor[]) => {
          const [savedImages, savedGain, ...reserved] = tensors as [Tensor, Tensor, Tensor, Tensor, Tensor];
          const outputs = backend.executeMultipleOutputs("FusedBatchNormGradV3", normAttributes(epsilon), [asImages(dy), savedImages, savedGain, ...reserved], 5);
          return [outputs[0]!.reshape(dy.shape), outputs[1]!, outputs[2]!];
        };
        return { value: y!.reshape((input as Tensor).shape), gradFunc: gradFunc as never };
      });
      const y = normalised(x, scale, offset);
      return { y, mean: statistics[0]!, variance: statistics[1]! };
    },
  };
}
