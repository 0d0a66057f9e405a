/** What the doctor measures of the distillation loss, by the very code that training uses. */
import type * as tfjs from "@tensorflow/tfjs";
import type { SoftTermFigures } from "../../core/doctor/softterm.ts";
import { type LaneWork, laneGradient, type Trainee } from "./lane.ts";
import { losses, type Objective } from "./loss.ts";

/**
 * Measures the soft term on one lane, with the weights as they are. Leaves no tensor behind (L8).
 * @param work its teacher logits must be there
 */
export function softTermFigures(trainee: Trainee, objective: Objective, work: LaneWork): SoftTermFigures {
  const { temperature } = objective;
  return {
    softGradientNorm: gradientNorm(trainee, { temperature, softWeight: 1 }, work),
    hardGradientNorm: gradientNorm(trainee, null, work),
    ...selfFigures(trainee, temperature, work),
  };
}

/** L2 norm of the mean gradient over the lane by the trainable parameters. */
function gradientNorm(trainee: Trainee, objective: Objective | null, work: LaneWork): number {
  const { tensors, outcome } = laneGradient(trainee, objective, { seed: 0, step: 0, lane: work.lane }, work);
  const { parameters } = trainee.parameters.layout;
  let squares = 0;
  for (const [at, tensor] of tensors.entries()) {
    if (tensor && parameters[at]!.trainable) squares += squaresOf(tensor.dataSync<"float32">());
  }
  for (const tensor of [...tensors, outcome?.logits, outcome?.hard, outcome?.soft]) tensor?.dispose();
  return Math.sqrt(squares) / work.examples;
}

/** The soft term where the student's logits are the teacher's own. */
function selfFigures({ engine, classes }: Trainee, temperature: number, { examples, teacherLogits }: LaneWork) {
  const { tf } = engine;
  const [gradient, soft] = tf.tidy(() => {
    const logits = tf.tensor2d(teacherLogits!.slice(0, examples * classes), [examples, classes]);
    const targets = tf.tidy(() => tf.oneHot(tf.zeros([examples], "int32"), classes).toFloat()) as tfjs.Tensor2D;
    const own = losses(engine, { temperature, softWeight: 1 }, { logits, targets, teacherLogits: logits });
    return [own.gradient.dataSync<"float32">(), own.soft!.dataSync<"float32">()];
  }) as unknown as [Float32Array, Float32Array];
  const entropy = meanEntropy(teacherLogits!, { examples, classes }, temperature);
  const crossEntropy = soft.reduce((sum, value) => sum + value, 0) / examples;
  return {
    selfDivergence: crossEntropy - entropy,
    selfGradient: gradient.reduce((most, value) => Math.max(most, Math.abs(value)), 0) / temperature,
  };
}

/** Of the softened distributions, nats, in float64. */
function meanEntropy(
  logits: Float32Array,
  { examples, classes }: { examples: number; classes: number },
  temperature: number,
): number {
  let total = 0;
  for (let row = 0; row < examples; row++) {
    const scaled = Array.from(logits.subarray(row * classes, (row + 1) * classes), (value) => value / temperature);
    const highest = scaled.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);
    const logSum = highest + Math.log(scaled.reduce((sum, value) => sum + Math.exp(value - highest), 0));
    total += logSum - scaled.reduce((sum, value) => sum + Math.exp(value - logSum) * value, 0);
  }
  return total / examples;
}

function squaresOf(values: Float32Array): number {
  return values.reduce((sum, value) => sum + value * value, 0);
}
