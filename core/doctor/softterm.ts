/** Does the soft term teach anything, and is it zero where student and teacher are one? */
import type { Finding } from "./finding.ts";

/** Measured on one lane by the loss that training uses. */
export interface SoftTermFigures {
  /** L2 norms of the mean gradient over the lane by the student's parameters, of each term with weight 1. */
  readonly softGradientNorm: number;
  readonly hardGradientNorm: number;
  /** Mean KL divergence of the student's softened distribution from the teacher's where their logits are equal, nats. */
  readonly selfDivergence: number;
  /** Largest entry, by magnitude, of the soft term's gradient by the logits there, divided by T. */
  readonly selfGradient: number;
}

/** Below this share of the hard term's gradient nothing of the soft one is left in float32. */
const noGradient = 1e-6;
/** Rounding of a softmax in float32, over as many as a hundred thousand classes. */
const selfTolerance = 1e-4;

/** @param teacherLogits [examples, classes] of the lane */
export function softTerm(
  { softGradientNorm, hardGradientNorm }: SoftTermFigures,
  { softWeight, temperature }: { readonly softWeight: number; readonly temperature: number },
  { teacherLogits, classes }: { readonly teacherLogits: Float32Array; readonly classes: number },
): Finding {
  const evidence = { softWeight, temperature, softGradientNorm, hardGradientNorm };
  const finding = (severity: Finding["severity"], message: string): Finding => {
    return { check: "soft-term", severity, message, evidence };
  };
  if (isConstant(teacherLogits, classes)) {
    const text = "the teacher gives the same logits for every example: its soft targets say nothing about any of them";
    return finding("refusal", text);
  }
  if (softWeight === 0) {
    const text = "distil.softWeight is 0: the teacher has no effect, and the student is trained as the baseline is";
    return finding("warning", text);
  }
  if (!(softWeight * softGradientNorm > noGradient * Math.max(hardGradientNorm, noGradient))) {
    const text = `the soft term has no gradient: its norm is ${softGradientNorm.toPrecision(3)} at weight ${softWeight}, that of the labels ${hardGradientNorm.toPrecision(3)}`;
    return finding("refusal", text);
  }
  return finding(
    "ok",
    `the soft term moves the student: its gradient has norm ${softGradientNorm.toPrecision(3)}, that of the labels ${hardGradientNorm.toPrecision(3)}`,
  );
}

/** KL(teacher ‖ teacher) must be 0 and must not move the student. */
export function selfDivergence({ selfDivergence: divergence, selfGradient }: SoftTermFigures): Finding {
  const evidence = { divergence, gradient: selfGradient };
  if (Math.abs(divergence) <= selfTolerance && selfGradient <= selfTolerance) {
    const message = "a student that equals the teacher has no soft loss to learn from";
    return { check: "self-divergence", severity: "ok", message, evidence };
  }
  const message = `a student that equals the teacher should have divergence 0 and gradient 0, and has ${divergence.toPrecision(3)} and ${selfGradient.toPrecision(3)}: the distillation loss is broken`;
  return { check: "self-divergence", severity: "refusal", message, evidence };
}

function isConstant(logits: Float32Array, classes: number): boolean {
  const spread = logits.reduce((most, value, at) => Math.max(most, Math.abs(value - logits[at % classes]!)), 0);
  const largest = logits.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return spread <= 1e-6 * Math.max(largest, 1e-6);
}
