/** The gradient of one lane: its own forward and backward pass, of its own batch's shape. */
import type * as tfjs from "@tensorflow/tfjs";
import { LimbeckError } from "../../core/errors.ts";
import { type MetricName, metricCount, metricNames, sizeOf } from "../../core/layout.ts";
import type { Engine } from "../engine/engine.ts";
import { argmaxRows } from "./evaluation.ts";
import { losses, type Objective, weightedLoss } from "./loss.ts";
import type { ModelParameters } from "./parameters.ts";
import type { PassKey, TrainingPass } from "./training.ts";

/** A model that can be trained. */
export interface Trainee {
  readonly engine: Engine;
  readonly model: tfjs.LayersModel;
  readonly parameters: ModelParameters;
  readonly pass: TrainingPass;
  readonly inputShape: readonly number[];
  readonly classes: number;
}

/** Examples that are computed together. Its arrays may be longer than its examples need. */
export interface LaneWork {
  readonly lane: number;
  /** 0 for an empty lane, which adds zeros. */
  readonly examples: number;
  /** [examples, ...inputShape] */
  readonly inputs: Float32Array;
  readonly labels: Int32Array;
  /** [examples, classes]; null exactly where the objective is. */
  readonly teacherLogits: Float32Array | null;
}

/** What a lane gives, all of it sums over its examples. Whoever asked for it owns the tensors. */
export interface LaneGradient {
  /** In the order of layout.parameters; undefined for a frozen weight, whose entry is 0. */
  readonly tensors: readonly (tfjs.Tensor | undefined)[];
  /** What the metrics are read from; null for an empty lane. */
  readonly outcome: Outcome | null;
}

export interface Outcome {
  readonly logits: tfjs.Tensor2D;
  readonly hard: tfjs.Tensor1D;
  readonly soft: tfjs.Tensor1D | null;
}

/** Issues the lane's ops; reads nothing back, so that a GPU is kept fed. */
export function laneGradient(
  trainee: Trainee,
  objective: Objective | null,
  key: PassKey,
  work: LaneWork,
): LaneGradient {
  const { engine, model, parameters, pass, inputShape, classes } = trainee;
  const { tf } = engine;
  const { examples } = work;
  if (examples === 0) return { tensors: zeroTensors(trainee), outcome: null };
  if (objective && !work.teacherLogits) {
    throw new LimbeckError("internal", `lane ${work.lane} of step ${key.step} has no soft targets`);
  }
  let outcome: Outcome | null = null;
  pass.begin(key);
  const tensors = tf.tidy(() => {
    const inputs = tf.tensor(work.inputs.subarray(0, examples * sizeOf(inputShape)), [examples, ...inputShape]);
    const targets = tf.tensor2d(oneHot(work.labels, examples, classes), [examples, classes]);
    const soft = objective && work.teacherLogits?.subarray(0, examples * classes);
    const teacherLogits = soft ? tf.tensor2d(soft, [examples, classes]) : null;
    const loss = tf.customGrad((logits, save) => {
      const { gradient, ...each } = losses(engine, objective, {
        logits: logits as tfjs.Tensor2D,
        targets,
        teacherLogits,
      });
      (save as tfjs.GradSaveFunc)([gradient]);
      const kept = tf.keep(logits as tfjs.Tensor2D);
      outcome = { logits: kept, hard: tf.keep(each.hard), soft: each.soft && tf.keep(each.soft) };
      // The tape wants a scalar; the losses are read from the outcome.
      return { value: tf.scalar(0), gradFunc: (_dy: tfjs.Tensor, saved: tfjs.Tensor[]) => saved[0]! };
    });
    const variables = trainableVariables(parameters);
    const { grads } = tf.variableGrads(() => loss(model.apply(inputs, { training: true }) as tfjs.Tensor), variables);
    return parameters.layout.parameters.map(({ trainable, shape }, index) => {
      const weight = parameters.weights[index]!;
      if (trainable) return grads[weight.name] ?? tf.zeros([...shape]);
      const statistic = pass.statistics.get(weight);
      return statistic && tf.mul(statistic, examples);
    });
  });
  pass.free();
  return { tensors, outcome };
}

/** Reads the metrics of a lane back, in the order of metricNames, and frees the outcome. */
export function readMetrics(
  objective: Objective | null,
  classes: number,
  work: LaneWork,
  outcome: Outcome | null,
): Float32Array {
  const metrics = new Float32Array(metricCount);
  if (!outcome) return metrics;
  const { examples, labels, teacherLogits } = work;
  const predicted = argmaxRows(outcome.logits.dataSync<"float32">(), examples, classes);
  const taught = objective && teacherLogits && argmaxRows(teacherLogits, examples, classes);
  const hardLoss = sum(outcome.hard.dataSync<"float32">());
  const softLoss = outcome.soft ? sum(outcome.soft.dataSync<"float32">()) : 0;
  const sums: Record<MetricName, number> = {
    examples,
    loss: weightedLoss(objective, hardLoss, softLoss),
    hardLoss,
    softLoss,
    correct: predicted.reduce((count, prediction, row) => count + (prediction === labels[row] ? 1 : 0), 0),
    agree: taught ? predicted.reduce((count, prediction, row) => count + (prediction === taught[row] ? 1 : 0), 0) : 0,
  };
  metrics.set(metricNames.map((name) => sums[name]));
  for (const tensor of [outcome.logits, outcome.hard, outcome.soft]) tensor?.dispose();
  return metrics;
}

export function trainableVariables({ layout, weights }: ModelParameters): tfjs.Variable[] {
  return weights
    .filter((_, index) => layout.parameters[index]!.trainable)
    .map((weight) => weight.read() as tfjs.Variable);
}

/** Zeros are added, not skipped: an addend of 0 turns -0 into 0, and a lane's sum must not depend on who adds it (L1). */
function zeroTensors({ engine, parameters: { layout } }: Trainee): (tfjs.Tensor | undefined)[] {
  return layout.parameters.map(({ trainable, averagingMomentum, shape }) =>
    trainable || averagingMomentum !== undefined ? engine.tf.zeros([...shape]) : undefined,
  );
}

function oneHot(labels: Int32Array, examples: number, classes: number): Float32Array {
  const targets = new Float32Array(examples * classes);
  for (let row = 0; row < examples; row++) targets[row * classes + labels[row]!] = 1;
  return targets;
}

/** In float64, in order. */
function sum(values: Float32Array): number {
  return values.reduce((total, value) => total + value, 0);
}
