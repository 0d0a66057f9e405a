/** What a batch of logits is worth against its labels, in float64 on the host: the same bits on every engine. */
import { logSumExp } from "../../core/softmax.ts";

export interface BatchEvaluation {
  /** Sum over the examples, in nats. */
  readonly crossEntropy: number;
  /** The most probable class of each example; the lowest of equals. */
  readonly predictions: Uint16Array;
  /** 1 where the prediction is the label, else 0. */
  readonly correct: Uint8Array;
}

/** @param logits [labels.length, classes] */
export function evaluateBatch(logits: Float32Array, labels: Int32Array, classes: number): BatchEvaluation {
  const predictions = argmaxRows(logits, labels.length, classes);
  const correct = new Uint8Array(labels.length);
  let crossEntropy = 0;
  for (let row = 0; row < labels.length; row++) {
    const label = labels[row]!;
    correct[row] = predictions[row] === label ? 1 : 0;
    const own = logits.subarray(row * classes, (row + 1) * classes);
    crossEntropy += logSumExp(own) - own[label]!;
  }
  return { crossEntropy, predictions, correct };
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
