/** Labelled training examples and what the teacher serves for them, asked for as training asks: lane by lane. */
import { sizeOf } from "../../core/layout.ts";
import type { LedgerPlan } from "../../core/ledger.ts";
import { permutation } from "../../core/permutation.ts";
import { purpose } from "../../core/random.ts";
import type { Dataset, ViewKey } from "../data/dataset.ts";

export interface Sample {
  readonly examples: Uint32Array;
  readonly labels: Int32Array;
  /** [examples × features], under the view of the first epoch. */
  readonly inputs: Float32Array;
  /** [examples, classes], as served. */
  readonly logits: Float32Array;
}

/** As many as tell 90 % from 80 % without doubt; 32 per class where there are many. */
const fewest = 512;
const perClass = 32;
const most = 4096;
/** A slow teacher is asked for no more examples than it answers in this time. */
const sampleMs = 10_000;

/** @param ask logits [examples, classes] of one lane's examples */
export async function takeSample(
  dataset: Dataset,
  { ledger, view }: { readonly ledger: LedgerPlan; readonly view: ViewKey | null },
  ask: (examples: Uint32Array) => Promise<Float32Array>,
): Promise<Sample> {
  const { classes } = dataset;
  const wanted = Math.min(dataset.count("train"), Math.max(fewest, Math.min(most, perClass * classes)));
  const order = permutation(dataset.count("train"), purpose.sample, ledger.seed);
  const answers: Float32Array[] = [];
  const startedMs = performance.now();
  let taken = 0;
  while (taken < wanted && (taken === 0 || performance.now() - startedMs < sampleMs)) {
    const lane = Uint32Array.from({ length: Math.min(ledger.laneBatch, wanted - taken) }, (_, at) => order(taken + at));
    answers.push(await ask(lane));
    taken += lane.length;
  }
  const examples = Uint32Array.from({ length: taken }, (_, at) => order(at));
  const labels = new Int32Array(taken);
  dataset.labels("train", examples, labels);
  const inputs = new Float32Array(taken * sizeOf(dataset.shape));
  dataset.examples("train", examples, view, inputs);
  const logits = new Float32Array(taken * classes);
  let at = 0;
  for (const answer of answers) {
    logits.set(answer, at);
    at += answer.length;
  }
  return { examples, labels, inputs, logits };
}

/** Labels of training examples from all over the split, many enough to meet every class. */
export function manyLabels(dataset: Dataset): Int32Array {
  const count = dataset.count("train");
  const length = Math.min(count, 100_000);
  const examples = Uint32Array.from({ length }, (_, at) => Math.floor((at * count) / length));
  const labels = new Int32Array(length);
  dataset.labels("train", examples, labels);
  return labels;
}
