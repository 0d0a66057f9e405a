/** A small model with every kind of weight, built with tfjs on its plain CPU backend, and its artifact. */
import * as tf from "@tensorflow/tfjs";
import { type Layout, layoutOf } from "../../../core/layout.ts";
import type { ModelArtifact } from "../../../worker/artifacts/model.ts";
import type { ModelFolder } from "../../../worker/artifacts/tfjs.ts";

export interface Sample {
  readonly model: tf.LayersModel;
  readonly artifact: ModelArtifact;
}

export async function sampleModel(): Promise<Sample> {
  await tf.setBackend("cpu");
  const initializer = (seed: number) => tf.initializers.randomNormal({ stddev: 0.3, seed });
  const model = tf.sequential({
    layers: [
      tf.layers.conv2d({ inputShape: [8, 8, 1], filters: 4, kernelSize: 3, kernelInitializer: initializer(1) }),
      tf.layers.batchNormalization({ movingVarianceInitializer: tf.initializers.constant({ value: 1e-6 }) }),
      tf.layers.flatten(),
      tf.layers.dense({
        units: 40,
        activation: "relu",
        kernelInitializer: initializer(2),
        biasInitializer: initializer(4),
      }),
      tf.layers.dense({ units: 10, kernelInitializer: initializer(3) }),
    ],
  });
  return { model, artifact: artifactOf(model) };
}

function artifactOf(model: tf.LayersModel): ModelArtifact {
  const listed = model.weights.map((weight) => ({
    name: weight.originalName,
    shape: weight.shape as number[],
    trainable: model.trainableWeights.includes(weight),
    decays: false,
  }));
  const layout: Layout = layoutOf(listed);
  const weights = new Float32Array(new SharedArrayBuffer(layout.weights * 4));
  const values = new Map(model.getWeights().map((tensor, i) => [listed[i]!.name, tensor.dataSync()]));
  for (const { name, offset } of layout.parameters) weights.set(values.get(name)!, offset);
  return { topology: model.toJSON(null, false), layout, order: listed.map(({ name }) => name), weights };
}

/** The model of a folder that was read, as tfjs loads it. */
export async function loadRead({ modelTopology, weightSpecs, weightData }: ModelFolder): Promise<tf.LayersModel> {
  return tf.loadLayersModel(
    tf.io.fromMemory({ modelTopology, weightSpecs: weightSpecs as tf.io.WeightsManifestEntry[], weightData }),
  );
}

/** Logits for one fixed batch. */
export function logitsOf(model: tf.LayersModel): Float32Array {
  return tf.tidy(() => {
    const inputs = tf.randomUniform([5, 8, 8, 1], 0, 1, "float32", 9);
    return (model.predict(inputs) as tf.Tensor).dataSync() as Float32Array;
  });
}
