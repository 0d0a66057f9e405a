/**
 * Is a model as often right as it is sure? Reliability diagram and expected calibration error (Guo et al. 2017, "On
 * Calibration of Modern Neural Networks", section 2): bins of equal width over the probability of the predicted class.
 */
import type { Evaluation } from "./evaluation.ts";

/** The confidences in (from, to]. */
export interface ReliabilityBin {
  readonly from: number;
  readonly to: number;
  readonly examples: number;
  /** Means over its examples; 0 where it has none. */
  readonly confidence: number;
  readonly accuracy: number;
}

export interface Reliability {
  /** Mean of |accuracy - confidence| over the bins, by their examples. */
  readonly ece: number;
  readonly bins: readonly ReliabilityBin[];
}

export function reliability(
  { confidences, correct }: Pick<Evaluation, "confidences" | "correct">,
  count = 15,
): Reliability {
  const sums = Array.from({ length: count }, () => ({ examples: 0, confidence: 0, right: 0 }));
  confidences.forEach((confidence, at) => {
    const bin = sums[Math.min(count, Math.max(1, Math.ceil(confidence * count))) - 1]!;
    bin.examples += 1;
    bin.confidence += confidence;
    bin.right += correct[at]!;
  });
  const gap = sums.reduce((total, { confidence, right }) => total + Math.abs(right - confidence), 0);
  const bins = sums.map(({ examples, confidence, right }, at) => ({
    from: at / count,
    to: (at + 1) / count,
    examples,
    confidence: examples === 0 ? 0 : confidence / examples,
    accuracy: examples === 0 ? 0 : right / examples,
  }));
  return { ece: confidences.length === 0 ? 0 : gap / confidences.length, bins };
}
