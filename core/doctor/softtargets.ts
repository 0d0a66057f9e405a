/** Are the teacher's answers logits, neither probabilities nor divided by a temperature already? */
import { logSumExp } from "../softmax.ts";
import { type Finding, percent } from "./finding.ts";

export interface LabelledLogits {
  /** [examples, classes], as served. */
  readonly logits: Float32Array;
  readonly labels: Int32Array;
  readonly classes: number;
}

/** Rounding to float16 of as many values as there are classes. */
const sumTolerance = 0.01;
/** So few rows may look otherwise by accident. */
const nearlyAll = 0.99;
/** The best factor on the logits is near 1 for a trained classifier, and reaches 2 or 3 for one that was trained briefly. */
const softenedFactor = 4;
/** Label smoothing and short training make a teacher less sure than it is right, by a tenth or two. */
const unsureBy = 0.25;

/**
 * @param claim `probabilities`: the teacher says that it gives probabilities, or their logarithms, so that the logits
 * served for it are logarithms of numbers that sum to one
 */
export function softTargets(sample: LabelledLogits, claim: "logits" | "probabilities"): Finding {
  const { logits, labels, classes } = sample;
  const rows = labels.length;
  const finding = (severity: Finding["severity"], message: string, evidence: Finding["evidence"] = {}): Finding => {
    return { check: "soft-targets", severity, message, evidence: { examples: rows, ...evidence } };
  };
  const broken = logits.findIndex((value) => !Number.isFinite(value));
  if (broken >= 0) {
    const text = `the teacher gives ${logits[broken]} for class ${broken % classes} of example ${Math.floor(broken / classes)} of the sample: its logits must be finite`;
    return finding("refusal", text);
  }
  const isProbable = shareOf(rows, (row) => isDistribution(logits, row, classes));
  if (isProbable >= nearlyAll) {
    const text = `what the teacher gives as logits are probabilities: in ${percent(isProbable)} of ${rows} answers all values lie in [0, 1] and sum to one. A softmax was left on; its output must be logits`;
    return finding("refusal", text, { probabilityRows: isProbable });
  }
  if (claim === "probabilities") {
    const sums = Float64Array.from({ length: rows }, (_, row) => Math.exp(logSumExp(rowOf(logits, row, classes))));
    const furthest = sums.reduce((most, sum) => (Math.abs(sum - 1) > Math.abs(most - 1) ? sum : most), 1);
    if (Math.abs(furthest - 1) > sumTolerance) {
      const text = `the teacher is said to give probabilities, and those of an example sum to ${furthest.toPrecision(4)}: they must sum to one`;
      return finding("refusal", text, { sum: furthest });
    }
  }
  const factor = bestFactor(sample);
  const evidence = { bestFactor: factor, ...certainty(sample) };
  // A sample on which all answers are right is best told with any factor: it must also be less sure than it is right.
  if (factor >= softenedFactor && evidence.accuracy - evidence.confidence > unsureBy) {
    const text = `the teacher's logits look as if they were divided by a temperature of about ${factor.toFixed(0)} already: it is right on ${percent(evidence.accuracy)} of ${rows} examples, and gives its answers a probability of ${percent(evidence.confidence)}. distil.temperature would soften them again`;
    return finding("warning", text, evidence);
  }
  return finding("ok", "the teacher gives logits on the scale of its own certainty", evidence);
}

function shareOf(rows: number, holds: (row: number) => boolean): number {
  let count = 0;
  for (let row = 0; row < rows; row++) count += Number(holds(row));
  return count / rows;
}

function isDistribution(logits: Float32Array, row: number, classes: number): boolean {
  let sum = 0;
  for (const value of rowOf(logits, row, classes)) {
    if (value < -1e-6 || value > 1 + 1e-3) return false;
    sum += value;
  }
  return Math.abs(sum - 1) <= sumTolerance;
}

/** The factor on the logits with the least cross-entropy on the labels (Guo et al. 2017: temperature scaling). */
function bestFactor(sample: LabelledLogits): number {
  const candidates = Array.from({ length: 25 }, (_, at) => 2 ** (at / 2 - 2)); // 1/4 to 1024
  return candidates.reduce((best, each) => (crossEntropy(sample, each) < crossEntropy(sample, best) ? each : best), 1);
}

/** How often its first choice is right, and how probable it calls that choice in the mean. */
function certainty({ logits, labels, classes }: LabelledLogits): { accuracy: number; confidence: number } {
  let [right, confidence] = [0, 0];
  for (let row = 0; row < labels.length; row++) {
    const own = rowOf(logits, row, classes);
    const highest = own.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);
    right += Number(own.indexOf(highest) === labels[row]);
    confidence += Math.exp(highest - logSumExp(own));
  }
  return { accuracy: right / labels.length, confidence: confidence / labels.length };
}

/** Mean over the examples, nats, of the logits times a factor. */
function crossEntropy({ logits, labels, classes }: LabelledLogits, factor: number): number {
  let sum = 0;
  for (let row = 0; row < labels.length; row++) {
    const own = rowOf(logits, row, classes);
    sum += logSumExp(own, 1 / factor) - factor * own[labels[row]!]!;
  }
  return sum / labels.length;
}

function rowOf(logits: Float32Array, row: number, classes: number): Float32Array {
  return logits.subarray(row * classes, (row + 1) * classes);
}
