/** The built-in convolutional network. */
import type * as tfjs from "@tensorflow/tfjs";
import { LimbeckError } from "../../core/errors.ts";
import type { CnnSpec } from "../../core/jobparts.ts";
import type { TF } from "../engine/engine.ts";
import { initializerFor } from "./initializers.ts";

/** Blocks of convolutions and pooling, then dense layers, then logits. Draws its weights from Math.random. */
export function buildCnn(tf: TF, spec: CnnSpec, inputShape: readonly number[], classes: number): tfjs.LayersModel {
  const { blocks, widths, activation, batchNorm, dropout } = spec;
  checkSides(spec, inputShape);
  const kernelInitializer = initializerFor(activation);
  const model = tf.sequential({ name: "cnn" });
  const add = (layer: tfjs.layers.Layer) => model.add(layer);
  add(tf.layers.inputLayer({ name: "pictures", inputShape: [...inputShape] }));
  blocks.forEach(({ filters, kernel, convolutions, pool }, block) => {
    for (let index = 1; index <= convolutions; index++) {
      const at = `${block + 1}_${index}`;
      // Batch norm has an offset of its own.
      const useBias = !batchNorm;
      add(
        tf.layers.conv2d({
          name: `conv_${at}`,
          filters,
          kernelSize: kernel,
          padding: "same",
          useBias,
          kernelInitializer,
        }),
      );
      if (batchNorm) add(tf.layers.batchNormalization({ name: `norm_${at}` }));
      add(tf.layers.activation({ name: `${activation}_${at}`, activation }));
    }
    if (pool > 1) add(tf.layers.maxPooling2d({ name: `pool_${block + 1}`, poolSize: pool }));
  });
  add(tf.layers.flatten({ name: "flatten" }));
  widths.forEach((units, index) => {
    add(tf.layers.dense({ name: `hidden_${index + 1}`, units, activation, kernelInitializer }));
  });
  if (dropout > 0) add(tf.layers.dropout({ name: "dropout", rate: dropout }));
  add(tf.layers.dense({ name: "logits", units: classes, kernelInitializer: initializerFor("linear") }));
  return model;
}

function checkSides({ blocks }: CnnSpec, inputShape: readonly number[]): void {
  const [height, width] = inputShape;
  if (inputShape.length !== 3 || height === undefined || width === undefined) {
    const message = `cnn needs images [height, width, channels], the examples of the dataset are [${inputShape.join(", ")}]`;
    throw new LimbeckError("bad_model", message);
  }
  let side = Math.min(height, width);
  blocks.forEach(({ pool }, block) => {
    if (pool > side) {
      const message = `block ${block + 1} of cnn pools ${pool} by ${pool} what is only ${side} high or wide: fewer blocks or smaller pools are needed`;
      throw new LimbeckError("bad_model", message);
    }
    side = Math.floor(side / pool);
  });
}
