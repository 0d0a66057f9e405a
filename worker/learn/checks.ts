/** What a model must be to be trained here. Every refusal is a `bad_model` that says what would be right. */
import type * as tfjs from "@tensorflow/tfjs";
import { LimbeckError } from "../../core/errors.ts";
import { sizeOf } from "../../core/layout.ts";
import type { Engine } from "../engine/engine.ts";
import { innermostLayers, isBatchNormalization, type Layer } from "./layers.ts";
import { reasonOf } from "./reason.ts";
import { withRandom } from "./seeding.ts";

/** What the model must fit. `role` is for messages. */
export interface Fit {
  readonly role: string;
  /** Of one example. */
  readonly inputShape: readonly number[];
  readonly classes: number;
}

export function checkModel(model: tfjs.LayersModel, fit: Fit): void {
  checkShapes(model, fit);
  for (const { layer, frozen } of innermostLayers(model)) checkLayer(layer, frozen, fit.role);
}

function checkShapes(model: tfjs.LayersModel, { role, inputShape, classes }: Fit): void {
  const { inputs, outputs } = model;
  if (inputs.length !== 1 || outputs.length !== 1) {
    refuse(`the ${role} has ${inputs.length} inputs and ${outputs.length} outputs, one of each is needed`);
  }
  const taken = inputs[0]!.shape.slice(1);
  const fits =
    taken.length === inputShape.length && taken.every((side, axis) => side === null || side === inputShape[axis]);
  if (!fits)
    refuse(
      `the ${role} takes examples of shape ${bracketed(taken)}, those of the dataset are ${bracketed(inputShape)}`,
    );
  const given = outputs[0]!.shape.slice(1);
  if (given.length !== 1) refuse(`the ${role} gives ${bracketed(given)} per example, logits [${classes}] are needed`);
  if (given[0] !== classes) refuse(`the ${role} has ${given[0]} classes, the dataset ${classes}`);
}

/** That a layer may give of one example: a GiB. What a file says otherwise is no model, and would be tried with. */
const mostNumbers = 2 ** 28;

function checkSize(layer: Layer, what: string): void {
  const { inboundNodes } = layer as unknown as { inboundNodes: readonly PlacedNode[] };
  for (const { shape } of inboundNodes.flatMap(({ outputTensors }) => outputTensors)) {
    const numbers = sizeOf(shape.slice(1).map((side) => side ?? 1));
    if (!(numbers <= mostNumbers))
      refuse(
        `${what} gives ${numbers} numbers per example, ${bracketed(shape.slice(1))}: at most ${mostNumbers} are supported`,
      );
  }
}

/** Of a layer, a call of it. */
interface PlacedNode {
  readonly outputTensors: readonly { readonly shape: readonly (number | null)[] }[];
}

function checkLayer(layer: Layer, frozen: boolean, role: string): void {
  const what = `layer ${layer.name} of the ${role}`;
  checkSize(layer, what);
  const { activityRegularizer } = layer as { activityRegularizer?: unknown };
  if (layer.losses.length > 0 || activityRegularizer) {
    refuse(`${what} has a regularizer, which would not be applied: use weightDecay of the optimizer`);
  }
  if (layer.stateful) refuse(`${what} keeps a state between batches, which is not supported`);
  if (!isBatchNormalization(layer) || frozen) return;
  const rank = layer.inputSpec[0]?.ndim ?? 0;
  if (layer.axis !== -1 && layer.axis !== rank - 1) {
    refuse(`${what} normalises axis ${layer.axis}, only the last axis is supported`);
  }
}

/**
 * Runs the model once in training, to find what would break L1: random draws of the host, or weights that a layer
 * changes by itself. The passes of a training step are made by `forward`.
 */
export async function checkTraining(
  { tf }: Engine,
  model: tfjs.LayersModel,
  fit: Fit,
  forward: (x: tfjs.Tensor) => void,
): Promise<void> {
  const { role, inputShape } = fit;
  let current = "";
  const layers = innermostLayers(model).map(({ layer }) => layer);
  for (const layer of layers) {
    const apply = layer.apply;
    layer.apply = (...args) => {
      current = layer.name;
      return apply.apply(layer, args);
    };
  }
  const draw = () =>
    refuse(
      `layer ${current} of the ${role} draws random numbers in training that are not seeded, only Dropout is supported`,
    );
  const before = model.weights.map(dataOf);
  try {
    await withRandom(draw, () => tf.tidy(() => forward(tf.zeros([2, ...inputShape]))));
  } catch (cause) {
    if (cause instanceof LimbeckError) throw cause;
    refuse(`layer ${current} of the ${role} cannot compute: ${reasonOf(cause)}`, cause);
  } finally {
    // The patch above is an own property that hides the class's method.
    for (const layer of layers) delete (layer as { apply?: unknown }).apply;
  }
  const changed = model.weights.find((weight, index) => dataOf(weight) !== before[index]);
  if (changed)
    refuse(`the weight ${changed.originalName} of the ${role} changes by itself in training, which is not supported`);
}

/** Identity of a weight's current value. */
function dataOf(weight: tfjs.LayerVariable): object {
  return (weight.read() as unknown as { dataId: object }).dataId;
}

function bracketed(shape: readonly (number | null)[]): string {
  return `[${shape.map((side) => side ?? "any").join(", ")}]`;
}

function refuse(message: string, cause?: unknown): never {
  throw new LimbeckError("bad_model", message, { cause });
}
