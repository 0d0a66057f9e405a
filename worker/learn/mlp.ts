/** The built-in multi-layer perceptron. */
import type * as tfjs from "@tensorflow/tfjs";
import type { MlpSpec } from "../../core/jobparts.ts";
import type { TF } from "../engine/engine.ts";
import { initializerFor } from "./initializers.ts";

/** Flattens what is not flat, then dense layers with dropout, then logits. Draws its weights from Math.random. */
export function buildMlp(tf: TF, spec: MlpSpec, inputShape: readonly number[], classes: number): tfjs.LayersModel {
  const { widths, activation, dropout, maxNorm } = spec;
  const model = tf.sequential({ name: "mlp" });
  model.add(tf.layers.inputLayer({ name: "examples", inputShape: [...inputShape] }));
  if (inputShape.length > 1) model.add(tf.layers.flatten({ name: "flatten" }));
  if (dropout.input > 0) model.add(tf.layers.dropout({ name: "dropout_input", rate: dropout.input }));
  widths.forEach((units, index) => {
    const name = `hidden_${index + 1}`;
    const kernelInitializer = initializerFor(activation);
    const bound =
      maxNorm === undefined ? {} : { kernelConstraint: tf.constraints.maxNorm({ maxValue: maxNorm, axis: 0 }) };
    model.add(tf.layers.dense({ name, units, activation, kernelInitializer, ...bound }));
    if (dropout.hidden > 0) model.add(tf.layers.dropout({ name: `dropout_${index + 1}`, rate: dropout.hidden }));
  });
  model.add(tf.layers.dense({ name: "logits", units: classes, kernelInitializer: initializerFor("linear") }));
  return model;
}
