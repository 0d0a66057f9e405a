/**
 * The distillation loss of Hinton et al. 2015, section 2, for student logits z, teacher logits v and labels y:
 * (1 - softWeight)·CE(y, softmax(z)) + softWeight·T²·CE(softmax(v/T), softmax(z/T)).
 */
import type * as tfjs from "@tensorflow/tfjs";
import type { Engine } from "../engine/engine.ts";

export interface Objective {
  /** T > 0 */
  readonly temperature: number;
  /** In [0, 1]. */
  readonly softWeight: number;
}

export interface Losses {
  /** Gradient of the sum over the examples by z. [examples, classes] */
  readonly gradient: tfjs.Tensor2D;
  /** CE(y, softmax(z)) of each example, in nats. */
  readonly hard: tfjs.Tensor1D;
  /** CE(softmax(v/T), softmax(z/T)) of each example, without T²; null where there is no teacher. */
  readonly soft: tfjs.Tensor1D | null;
}

/**
 * Both losses and the gradient of their weighted sum. The caller owns the tensors.
 * @param objective null for hard labels alone
 * @param logits z [examples, classes]
 * @param targets y, one-hot [examples, classes]
 * @param teacherLogits v [examples, classes]; null exactly where the objective is
 */
export function losses(
  { tf, ops }: Engine,
  objective: Objective | null,
  {
    logits,
    targets,
    teacherLogits,
  }: { logits: tfjs.Tensor2D; targets: tfjs.Tensor2D; teacherLogits: tfjs.Tensor2D | null },
): Losses {
  if (!objective || !teacherLogits) {
    const { loss, gradient } = ops.softmaxCrossEntropy(logits, targets);
    return { gradient, hard: loss, soft: null };
  }
  const { temperature, softWeight } = objective;
  const owned = tf.tidy(() => {
    const hard = ops.softmaxCrossEntropy(logits, targets);
    const softTargets = tf.softmax(tf.div(teacherLogits, temperature)) as tfjs.Tensor2D;
    const soft = ops.softmaxCrossEntropy(tf.div(logits, temperature), softTargets);
    // d(T²·CE)/dz = T²·(1/T)·gradient by z/T: T² keeps the soft term's gradients the same size as T changes.
    const fromHard = softWeight < 1 ? [tf.mul(hard.gradient, 1 - softWeight)] : [];
    const fromSoft = softWeight > 0 ? [tf.mul(soft.gradient, softWeight * temperature)] : [];
    const [first, second] = [...fromHard, ...fromSoft];
    const gradient = second ? tf.add(first!, second) : first!;
    return { gradient, hard: hard.loss, soft: soft.loss };
  });
  return owned as Losses;
}

/** The whole loss from the sums of its two terms. */
export function weightedLoss(objective: Objective | null, hardLoss: number, softLoss: number): number {
  if (!objective) return hardLoss;
  const { temperature, softWeight } = objective;
  return (1 - softWeight) * hardLoss + softWeight * temperature ** 2 * softLoss;
}
