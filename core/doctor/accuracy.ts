/** Is the teacher right on labelled examples? Where it is not: are its classes in another order, or its inputs scaled otherwise? */
import { bestAssignment } from "./assignment.ts";
import { type Finding, percent } from "./finding.ts";

export interface LabelledSample {
  /** Predicted class of each example, as the teacher serves it. */
  readonly predictions: Uint16Array;
  readonly labels: Int32Array;
  readonly classes: number;
}

/** The teacher's predictions on the same examples, scaled in another of the usual ways. */
export interface OtherScaling {
  /** What to write into the job: "dataset.normalization: unit". */
  readonly name: string;
  readonly predictions: Uint16Array;
}

/** Better by so much is no accident of the sample, beside being more than so many standard errors. */
const muchBetter = 0.1;
const standardErrors = 4;

/** @param scalings none where the teacher was trained on these very inputs */
export function teacherAccuracy(sample: LabelledSample, scalings: readonly OtherScaling[]): Finding {
  const { predictions, labels } = sample;
  const examples = labels.length;
  const accuracy = accuracyOf(predictions, labels);
  const chance = agreementByChance(sample);
  const permuted = permutedAccuracy(sample);
  const [best] = scalings
    .map(({ name, predictions }) => ({ name, accuracy: accuracyOf(predictions, labels) }))
    .sort((one, other) => other.accuracy - one.accuracy);
  const evidence = {
    examples,
    accuracy,
    chance,
    permutedAccuracy: permuted.accuracy,
    ...(best && { bestOtherScaling: best.name, bestOtherScalingAccuracy: best.accuracy }),
  };
  const finding = (severity: Finding["severity"], message: string): Finding => {
    return { check: "teacher-accuracy", severity, message, evidence };
  };
  const isBetter = (other: number) =>
    other > accuracy + Math.max(muchBetter, standardErrors * standardError(accuracy, examples));
  const right = `the teacher is right on ${percent(accuracy)} of ${examples} labelled training examples`;
  if (best && isBetter(best.accuracy) && best.accuracy > permuted.accuracy) {
    const text = `${right}, and on ${percent(best.accuracy)} with inputs scaled as by ${best.name}: it was trained on other inputs than this job gives it`;
    return finding("refusal", text);
  }
  if (isBetter(permuted.accuracy)) {
    const text = `${right}, and on ${percent(permuted.accuracy)} with its classes in another order (${told(permuted.order)}): put its outputs into the order of the dataset's labels`;
    return finding("refusal", text);
  }
  if (accuracy <= chance + standardErrors * standardError(chance, examples)) {
    const text = `${right}, where answers that know nothing of the example would be on ${percent(chance)}: there is nothing to learn from it`;
    return finding("refusal", text);
  }
  return finding("ok", right);
}

function accuracyOf(predictions: Uint16Array, labels: Int32Array): number {
  return predictions.reduce((right, predicted, at) => right + Number(predicted === labels[at]), 0) / labels.length;
}

/** How often predictions and labels would agree if each were drawn by itself with the frequencies it has (Cohen 1960). */
function agreementByChance({ predictions, labels, classes }: LabelledSample): number {
  const [predicted, labelled] = [new Float64Array(classes), new Float64Array(classes)];
  for (let at = 0; at < labels.length; at++) {
    predicted[predictions[at]!]! += 1 / labels.length;
    labelled[labels[at]!]! += 1 / labels.length;
  }
  return predicted.reduce((sum, share, each) => sum + share * labelled[each]!, 0);
}

/**
 * Accuracy with the classes in the best other order. The order is chosen on one half of the sample and measured on the
 * other: with many classes, the best of all orders fits even random answers.
 */
function permutedAccuracy({ predictions, labels, classes }: LabelledSample): { accuracy: number; order: Uint32Array } {
  const half = Math.floor(labels.length / 2);
  const confusion = new Float64Array(classes * classes); // [predicted, labelled]
  for (let at = 0; at < half; at++) confusion[predictions[at]! * classes + labels[at]!]! += 1;
  const order = bestAssignment(confusion, classes);
  const mapped = predictions.slice(half).map((predicted) => order[predicted]!);
  return { accuracy: accuracyOf(mapped, labels.slice(half)), order };
}

function standardError(share: number, examples: number): number {
  return Math.sqrt((share * (1 - share)) / examples);
}

const toldClasses = 5;

function told(order: Uint32Array): string {
  const moved = [...order].flatMap((label, output) => (label === output ? [] : [`output ${output} is class ${label}`]));
  return moved.length > toldClasses ? `${moved.slice(0, toldClasses).join(", ")}, …` : moved.join(", ");
}
