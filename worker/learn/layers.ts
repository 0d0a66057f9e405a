/** Walking a tfjs model, and what of its layers Limbeck must know that tfjs keeps to itself. */
import type * as tfjs from "@tensorflow/tfjs";

export type Layer = tfjs.layers.Layer;
/** Arguments of a layer's call besides its inputs. */
export type CallArguments = Parameters<Layer["call"]>[1];
export type CallInputs = Parameters<Layer["call"]>[0];

export interface PlacedLayer {
  readonly layer: Layer;
  /** A layer is frozen where it or a model around it is not trainable. */
  readonly frozen: boolean;
}

export interface BatchNormalization extends Layer {
  readonly axis: number;
  readonly momentum: number;
  readonly epsilon: number;
  readonly gamma?: tfjs.LayerVariable;
  readonly beta?: tfjs.LayerVariable;
  readonly movingMean: tfjs.LayerVariable;
  readonly movingVariance: tfjs.LayerVariable;
}

export interface Dropout extends Layer {
  readonly rate: number;
  getNoiseShape(input: tfjs.Tensor): (number | null)[];
}

export interface Dense extends Layer {
  readonly activation: { getClassName(): string };
  readonly kernel: tfjs.LayerVariable;
  readonly bias: tfjs.LayerVariable | null;
}

/** The layers that compute, those of inner models in their place. */
export function innermostLayers(model: tfjs.LayersModel): PlacedLayer[] {
  const visit = (layer: Layer, frozenAround: boolean): PlacedLayer[] => {
    const frozen = frozenAround || !layer.trainable;
    const inner = "layers" in layer ? (layer.layers as Layer[]) : null;
    return inner ? inner.flatMap((each) => visit(each, frozen)) : [{ layer, frozen }];
  };
  return visit(model, false);
}

export function isBatchNormalization(layer: Layer): layer is BatchNormalization {
  return layer.getClassName() === "BatchNormalization";
}

export function isDropout(layer: Layer): layer is Dropout {
  return ["Dropout", "SpatialDropout1D"].includes(layer.getClassName());
}

export function isDense(layer: Layer): layer is Dense {
  return layer.getClassName() === "Dense";
}

/** The only input of a call. */
export function onlyTensor(inputs: CallInputs): tfjs.Tensor {
  return Array.isArray(inputs) ? inputs[0]! : inputs;
}

/** Frees all weights: `LayersModel.dispose` forgets those of a layer that is used more than once. */
export function disposeModel(model: tfjs.LayersModel): void {
  const variables = model.weights.map((weight) => weight.read());
  model.dispose();
  for (const variable of variables) if (!variable.isDisposed) variable.dispose();
}
