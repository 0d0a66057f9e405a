/** The model's weights as a layout: which train, which decay, which are bounded, which average a statistic. */
import type * as tfjs from "@tensorflow/tfjs";
import { LimbeckError } from "../../core/errors.ts";
import { type Layout, layoutOf, type Parameter } from "../../core/layout.ts";
import { innermostLayers, isBatchNormalization } from "./layers.ts";

export interface ModelParameters {
  readonly layout: Layout;
  /** Names in the model's own order (model.getWeights()). */
  readonly order: readonly string[];
  /** In the order of layout.parameters. */
  readonly weights: readonly tfjs.LayerVariable[];
}

/**
 * @param role for messages
 * @param layerNames stable names of layers that have none of their own
 * @throws LimbeckError `bad_model` for weights that cannot be trained as they ask to be
 */
export function parametersOf(
  model: tfjs.LayersModel,
  role: string,
  layerNames: ReadonlyMap<string, string>,
): ModelParameters {
  const momenta = averagingMomenta(model);
  const byName = new Map<string, tfjs.LayerVariable>();
  const listed = model.weights.map((weight) => {
    const name = stableName(weight, layerNames);
    if (byName.has(name)) throw new LimbeckError("bad_model", `two weights of the ${role} are named ${name}`);
    if (weight.dtype !== "float32") {
      throw new LimbeckError(
        "bad_model",
        `the weight ${name} of the ${role} is ${weight.dtype}, only float32 can be trained and exchanged`,
      );
    }
    byName.set(name, weight);
    const trainable = model.trainableWeights.includes(weight);
    const bound = trainable ? maxNormOf(weight, name, role) : undefined;
    const momentum = momenta.get(weight);
    return {
      name,
      shape: weight.shape as number[],
      trainable,
      decays: trainable && isKernel(weight),
      ...(bound === undefined ? {} : { maxNorm: bound }),
      ...(momentum === undefined ? {} : { averagingMomentum: momentum }),
    } satisfies Omit<Parameter, "offset" | "size">;
  });
  const layout = layoutOf(listed);
  const weights = layout.parameters.map(({ name }) => byName.get(name)!);
  return { layout, order: listed.map(({ name }) => name), weights };
}

/** "layer/kernel": the layers' own names, without the counter tfjs makes them unique with in the process. */
function stableName({ originalName }: tfjs.LayerVariable, layerNames: ReadonlyMap<string, string>): string {
  return originalName
    .split("/")
    .map((part) => layerNames.get(part) ?? part)
    .join("/");
}

/** Weights that multiply the inputs: kernel, depthwise_kernel, recurrent_kernel, … */
function isKernel({ originalName, shape }: tfjs.LayerVariable): boolean {
  return shape.length >= 2 && originalName.endsWith("kernel");
}

function averagingMomenta(model: tfjs.LayersModel): Map<tfjs.LayerVariable, number> {
  const momenta = new Map<tfjs.LayerVariable, number>();
  for (const { layer, frozen } of innermostLayers(model)) {
    if (!isBatchNormalization(layer) || frozen) continue;
    momenta.set(layer.movingMean, layer.momentum).set(layer.movingVariance, layer.momentum);
  }
  return momenta;
}

function maxNormOf({ constraint, shape }: tfjs.LayerVariable, name: string, role: string): number | undefined {
  if (!constraint) return undefined;
  if (constraint.getClassName() !== "MaxNorm") {
    throw new LimbeckError(
      "bad_model",
      `the weight ${name} of the ${role} has the constraint ${constraint.getClassName()}, only MaxNorm is supported`,
    );
  }
  const { maxValue, axis } = constraint.getConfig() as { maxValue: number; axis: number | number[] };
  const axes = [axis].flat().map((each) => (each < 0 ? each + shape.length : each));
  const incoming = shape.slice(0, -1).map((_, index) => index);
  if (incoming.some((each) => !axes.includes(each)) || axes.length !== incoming.length) {
    const message = `MaxNorm of the weight ${name} of the ${role} is over axes [${axes.join(", ")}], only the norm of each unit's incoming weights, axes [${incoming.join(", ")}], is supported`;
    throw new LimbeckError("bad_model", message);
  }
  return maxValue;
}
