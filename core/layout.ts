/** How a model's weights and gradients lie in flat float32 vectors. Every replica of a job has the same layout. */

export interface Parameter {
  /** The variable's name in the model, unique in it. */
  readonly name: string;
  readonly shape: readonly number[];
  /** First float in the weights vector. */
  readonly offset: number;
  readonly size: number;
  readonly trainable: boolean;
  /** Weight decay applies (kernels; not biases, not batch norm). */
  readonly decays: boolean;
  /** Upper bound of the L2 norm of each output unit's incoming weights: the last axis of `shape` is the unit. */
  readonly maxNorm?: number;
  /**
   * Not trainable and a running average of a batch statistic: new = momentum·old + (1 - momentum)·statistic.
   * Absent on a frozen weight, which never changes.
   */
  readonly averagingMomentum?: number;
}

/**
 * Weights: [trainable parameters | other weights], in the model's own order within each part.
 * Gradient: [gradient of the trainable part | batch statistics in the places of the other weights | metrics], every
 * entry a *sum over examples* (statistics: lane statistic times lane examples), so one tree reduction serves all.
 */
export interface Layout {
  readonly parameters: readonly Parameter[];
  /** Floats of the trainable part. */
  readonly trainable: number;
  /** Floats of the weights vector. */
  readonly weights: number;
  /** Floats of the gradient vector: weights + metricCount. */
  readonly gradient: number;
}

/** The last floats of a gradient vector: sums over the examples. */
export const metricNames = ["examples", "loss", "hardLoss", "softLoss", "correct", "agree"] as const;
export type MetricName = (typeof metricNames)[number];
export const metricCount = metricNames.length;

/** Values of a tensor of this shape. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, side) => product * side, 1);
}

/** Builds a layout from parameters listed in model order, trainable or not. */
export function layoutOf(listed: readonly Omit<Parameter, "offset" | "size">[]): Layout {
  let offset = 0;
  const place = (parameter: Omit<Parameter, "offset" | "size">): Parameter => {
    const size = sizeOf(parameter.shape);
    const placed = { ...parameter, offset, size };
    offset += size;
    return placed;
  };
  const trained = listed.filter((parameter) => parameter.trainable).map(place);
  const trainable = offset;
  const others = listed.filter((parameter) => !parameter.trainable).map(place);
  return { parameters: [...trained, ...others], trainable, weights: offset, gradient: offset + metricCount };
}
