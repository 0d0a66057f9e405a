/** A model's answers on the whole evaluation split. */
import type { Score } from "../events.ts";

/** In the order of the examples. */
export interface Answers {
  /** Predicted class of each example. */
  readonly predictions: Uint16Array;
  readonly labels: Uint16Array;
  /** The probability of each predicted class. */
  readonly confidences: Float32Array;
}

export interface Evaluation extends Answers {
  readonly score: Score;
  /** 1 where the prediction is the label. */
  readonly correct: Uint8Array;
}

/** @param crossEntropy mean over the examples, nats */
export function evaluationOf(answers: Answers, crossEntropy: number): Evaluation {
  const { predictions, labels } = answers;
  const correct = Uint8Array.from(predictions, (predicted, at) => Number(predicted === labels[at]));
  const examples = predictions.length;
  const errors = correct.reduce((wrong, right) => wrong + Number(right === 0), 0);
  return { ...answers, correct, score: { examples, errors, accuracy: (examples - errors) / examples, crossEntropy } };
}
