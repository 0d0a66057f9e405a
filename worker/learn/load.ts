/** `load:`, a tfjs LayersModel that exists. */
import { resolve } from "node:path";
import type * as tfjs from "@tensorflow/tfjs";
import { LimbeckError } from "../../core/errors.ts";
import { type ModelFolder, readModelFolder, weightCount } from "../artifacts/tfjs.ts";
import type { TF } from "../engine/engine.ts";
import { reasonOf } from "./reason.ts";
import { withoutSoftmax } from "./topology.ts";
import { withWeightLimit } from "./weightlimit.ts";

/**
 * Loads the model with its weights, bit for bit. A softmax at its end is left out, so that it gives logits.
 * @param location folder or model.json, relative to the job's folder
 * @throws LimbeckError `bad_model` naming the file and the reason
 */
export async function loadModel(tf: TF, jobFolder: string, location: string): Promise<tfjs.LayersModel> {
  const path = resolve(jobFolder, location);
  const { modelTopology, weightSpecs, weightData } = await readModelFolder(path);
  const specs = weightSpecs as tfjs.io.WeightsManifestEntry[];
  try {
    const source = tf.io.fromMemory({ modelTopology: withoutSoftmax(modelTopology), weightSpecs: specs, weightData });
    const model = await withWeightLimit(tf, weightCount(weightSpecs), () => tf.loadLayersModel(source));
    restoreConstrained(tf, model, { weightSpecs, weightData });
    return model;
  } catch (cause) {
    throw new LimbeckError("bad_model", `${path} cannot be loaded as a tfjs LayersModel: ${reasonOf(cause)}`, {
      cause,
    });
  }
}

/** tfjs applies constraints to the weights it loads, which rescales those under max-norm by a rounding error. */
function restoreConstrained(
  tf: TF,
  model: tfjs.LayersModel,
  folder: Pick<ModelFolder, "weightSpecs" | "weightData">,
): void {
  const constrained = model.weights.filter(({ constraint }) => constraint);
  if (constrained.length === 0) return;
  const saved = tf.io.decodeWeights(folder.weightData, folder.weightSpecs as tfjs.io.WeightsManifestEntry[]);
  for (const weight of constrained) (weight.read() as tfjs.Variable).assign(saved[weight.originalName]!);
  tf.dispose(saved);
}
