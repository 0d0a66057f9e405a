/**
 * Layers that behave otherwise in training, made functions of (seed, step, lane): dropout draws from a seeded stream,
 * batch norm hands its statistics to the gradient vector and leaves its moving averages alone. Only the instances are
 * patched: the exported architecture is the standard one.
 */
import type * as tfjs from "@tensorflow/tfjs";
import { LimbeckError } from "../../core/errors.ts";
import { hash32, purpose } from "../../core/random.ts";
import type { Engine } from "../engine/engine.ts";
import {
  type BatchNormalization,
  type CallArguments,
  type CallInputs,
  type Dense,
  type Dropout,
  innermostLayers,
  isBatchNormalization,
  isDense,
  isDropout,
  onlyTensor,
} from "./layers.ts";

/** What a forward pass in training is a function of, besides weights and batch. */
export interface PassKey {
  readonly seed: number;
  readonly step: number;
  readonly lane: number;
}

/** Statistics of one pass, by the moving average they belong to. */
export type PassStatistics = ReadonlyMap<tfjs.LayerVariable, tfjs.Tensor>;

/** The forward pass in training that is under way. It owns the statistics until the next one begins or it is freed. */
export class TrainingPass {
  #key: PassKey = { seed: 0, step: 0, lane: 0 };
  #draws = 0;
  readonly #statistics = new Map<tfjs.LayerVariable, tfjs.Tensor>();

  begin(key: PassKey): void {
    this.free();
    this.#key = key;
    this.#draws = 0;
  }

  get statistics(): PassStatistics {
    return this.#statistics;
  }

  free(): void {
    for (const statistic of this.#statistics.values()) statistic.dispose();
    this.#statistics.clear();
  }

  /** Seed of the pass's next draw; draws are numbered in the order of the layers. */
  nextSeed(): [number, number] {
    const { seed, step, lane } = this.#key;
    const words = [purpose.dropout, seed, step, lane, this.#draws++] as const;
    return [hash32(...words, 0), hash32(...words, 1)];
  }

  /** Takes the statistics over. */
  record({ name, movingMean, movingVariance }: BatchNormalization, mean: tfjs.Tensor, variance: tfjs.Tensor): void {
    const isSecondUse = this.#statistics.has(movingMean);
    if (isSecondUse) this.free();
    this.#statistics.set(movingMean, mean).set(movingVariance, variance);
    if (isSecondUse) {
      throw new LimbeckError("bad_model", `layer ${name} is used twice: each use needs a batch norm of its own`);
    }
  }
}

/** Patches the model's dropout and batch norm layers, and its dense ones where the engine has a better op. */
export function followPass(engine: Engine, model: tfjs.LayersModel, pass: TrainingPass): void {
  for (const { layer, frozen } of innermostLayers(model)) {
    if (isDropout(layer)) patchDropout(engine, layer, pass);
    if (isBatchNormalization(layer)) patchBatchNormalization(engine, layer, frozen ? null : pass);
    if (isDense(layer)) patchDense(engine, layer);
  }
}

const isTraining = (kwargs: CallArguments) => kwargs?.["training"] === true;

function patchDropout({ tf, ops }: Engine, layer: Dropout, pass: TrainingPass): void {
  const { rate } = layer;
  layer.call = (inputs: CallInputs, kwargs: CallArguments) => {
    const x = onlyTensor(inputs);
    if (!isTraining(kwargs) || rate === 0) return tf.clone(x);
    return tf.tidy(() => {
      const shape = (layer.getNoiseShape(x) ?? x.shape).map((side, axis) => side ?? x.shape[axis]!);
      const kept = tf.greaterEqual(ops.uniform(shape, pass.nextSeed()), rate);
      return tf.mul(x, tf.mul(tf.cast(kept, "float32"), 1 / (1 - rate)));
    });
  };
}

/** @param pass null for a frozen layer, which always uses its moving averages */
function patchBatchNormalization({ tf, ops }: Engine, layer: BatchNormalization, pass: TrainingPass | null): void {
  const infer = layer.call.bind(layer);
  layer.call = (inputs: CallInputs, kwargs: CallArguments) => {
    if (!pass || !isTraining(kwargs)) return infer(inputs, { ...kwargs, training: false });
    return tf.tidy(() => {
      const x = onlyTensor(inputs);
      const channels = x.shape.at(-1)!;
      const scale = (layer.gamma?.read() ?? tf.ones([channels])) as tfjs.Tensor1D;
      const offset = (layer.beta?.read() ?? tf.zeros([channels])) as tfjs.Tensor1D;
      const { y, mean, variance } = ops.batchNorm(x, scale, offset, layer.epsilon);
      pass.record(layer, tf.keep(mean), tf.keep(variance));
      return y;
    });
  };
}

function patchDense({ ops: { dense } }: Engine, layer: Dense): void {
  const activation = layer.activation.getClassName();
  if (!dense || (activation !== "linear" && activation !== "relu")) return;
  const callAny = layer.call.bind(layer);
  layer.call = (inputs: CallInputs, kwargs: CallArguments) => {
    const x = onlyTensor(inputs);
    if (x.rank !== 2 || x.dtype !== "float32") return callAny(inputs, kwargs);
    const kernel = layer.kernel.read() as tfjs.Tensor2D;
    const bias = (layer.bias?.read() ?? null) as tfjs.Tensor1D | null;
    return dense(x as tfjs.Tensor2D, { kernel, bias, activation });
  };
}
