/** Which classes a model gets wrong, and what it takes them for. */
import type { Answers } from "./evaluation.ts";

/** Of the examples of one class. */
export interface ClassErrors {
  readonly examples: number;
  readonly errors: number;
}

/** A cell of the confusion matrix beside its diagonal. */
export interface Confusion {
  readonly label: number;
  readonly predicted: number;
  readonly examples: number;
}

type Predicted = Pick<Answers, "predictions" | "labels">;

/** By class, of all classes. */
export function classErrors({ predictions, labels }: Predicted, classes: number): readonly ClassErrors[] {
  const examples = new Uint32Array(classes);
  const errors = new Uint32Array(classes);
  labels.forEach((label, at) => {
    examples[label]! += 1;
    if (predictions[at] !== label) errors[label]! += 1;
  });
  return Array.from(examples, (count, label) => ({ examples: count, errors: errors[label]! }));
}

/** The cells that are not 0, the largest first: with a thousand classes the matrix is nearly empty. */
export function confusions({ predictions, labels }: Predicted): readonly Confusion[] {
  const counts = new Map<string, Confusion>();
  labels.forEach((label, at) => {
    const predicted = predictions[at]!;
    if (predicted === label) return;
    const key = `${label} ${predicted}`;
    counts.set(key, { label, predicted, examples: (counts.get(key)?.examples ?? 0) + 1 });
  });
  return [...counts.values()].sort((a, b) => b.examples - a.examples || a.label - b.label || a.predicted - b.predicted);
}
