/** What a batch of logits is worth against its labels, in float64 on the host: the same bits on every engine. */
import { logSumExp } from "../../core/softmax.ts";

export interface BatchEvaluation {
  /** Sum over the examples, in nats. */
  readonly crossEntropy: number;
  /** The most probable class of each example; the lowest of equals. */
  readonly predictions: Uint16Array;
  /** The label of each example. */
  readonly labels: Uint16Array;
  /** The probability of each predicted class. */
  readonly confidences: Float32Array;
}

/** @param logits [labels.length, classes] */
export function evaluateBatch(logits: Float32Array, labels: Int32Array, classes: number): BatchEvaluation {
  const predictions = argmaxRows(logits, labels.length, classes);
  const confidences = new Float32Array(labels.length);
  let crossEntropy = 0;
  for (let row = 0; row < labels.length; row++) {
    const own = logits.subarray(row * classes, (row + 1) * classes);
    const total = logSumExp(own);
    const confidence = Math.exp(own[predictions[row]!]! - total);
    confidences[row] = Number.isFinite(confidence) ? confidence : 0; // Of logits that are none.
    crossEntropy += total - own[labels[row]!]!;
  }
  return { crossEntropy, predictions, labels: Uint16Array.from(labels), confidences };
}

/** The class of the highest logit in each row; the lowest class of equals. */
export function argmaxRows(logits: Float32Array, rows: number, classes: number): Uint16Array {
  const best = new Uint16Array(rows);
  for (let row = 0; row < rows; row++) {
    const from = row * classes;
    let at = 0;
    for (let c = 1; c < classes; c++) if (logits[from + c]! > logits[from + at]!) at = c;
    best[row] = at;
  }
  return best;
}
