/**
 * Sums up what the students of a running stage report: pace, soft targets, evaluations. The sums do not depend on
 * the order in which different workers are heard.
 */
import { LimbeckError } from "../core/errors.ts";
import { type Evaluation, evaluationOf } from "../core/evaluation/evaluation.ts";
import { noSoftTargets, type SoftTargetTotals } from "../core/finishedstage.ts";
import { withEntry } from "../core/layered.ts";
import type { StagePlan } from "../core/stages.ts";
import type { Evaluated, EvaluatedChunk, Progress, Skipped, StageDone } from "./messages.ts";

/** What the students of a stage have reported so far, in all its terms. */
export interface Tally {
  /** By worker: steps it has reported. */
  readonly steps: ReadonlyMap<string, number>;
  /** The global batches, as the leads reported them. */
  readonly pace: Pace;
  readonly softTargets: SoftTargetTotals;
  /** By worker: seconds in which it had nothing to do but wait for teachers. */
  readonly waited: ReadonlyMap<string, number>;
  /** Evaluations by step, and by whether they end the stage; null once all chunks have come. */
  readonly evaluations: ReadonlyMap<string, ReadonlyMap<number, EvaluatedChunk> | null>;
  /** The evaluation that ends the stage. */
  readonly evaluation: Evaluation | null;
  /** Of the current term. */
  readonly done: ReadonlyMap<string, StageDone>;
  /** Lanes whose gradient was not finite, by step and lane. */
  readonly skipped: ReadonlyMap<string, Skipped>;
  /** The newest step after which all replicas were found equal; 0, as they are built. */
  readonly agreed: number;
  /** The newest step with a checkpoint; -1 before the first. */
  readonly checkpointed: number;
}

export interface Pace {
  /** Over the last report, the whole global batch. */
  readonly samplesPerSecond: number;
  readonly all: Stretch;
  /** Beyond the warm-up. */
  readonly steady: Stretch;
}

export interface Stretch {
  readonly steps: number;
  readonly examples: number;
  readonly seconds: number;
}

const noStretch: Stretch = { steps: 0, examples: 0, seconds: 0 };

export const emptyTally: Tally = {
  steps: new Map(),
  pace: { samplesPerSecond: 0, all: noStretch, steady: noStretch },
  softTargets: noSoftTargets,
  waited: new Map(),
  evaluations: new Map(),
  evaluation: null,
  done: new Map(),
  skipped: new Map(),
  agreed: 0,
  checkpointed: -1,
};

/** Steps that do not count for the steady state: the first tenth, at least five. */
function warmupSteps({ steps }: StagePlan): number {
  return Math.max(5, Math.ceil(steps / 10));
}

/** @param byLead its sums are over the global batches: they tell how fast the job is, whoever leads */
export function tallyProgress(
  tally: Tally,
  plan: StagePlan,
  { worker, byLead, progress }: { worker: string; byLead: boolean; progress: Progress },
): Tally {
  return {
    ...tally,
    steps: withEntry(tally.steps, worker, progress.step),
    pace: byLead ? paced(tally.pace, plan, progress) : tally.pace,
    softTargets: served(tally.softTargets, progress),
    waited: withEntry(tally.waited, worker, (tally.waited.get(worker) ?? 0) + progress.phases.softTargets),
  };
}

function served(before: SoftTargetTotals, progress: Progress): SoftTargetTotals {
  const { examples, sum, max } = progress.payloadError ?? { examples: 0, sum: 0, max: 0 };
  const { error } = before;
  return {
    requested: before.requested + progress.softTargets,
    cached: before.cached + progress.softTargetsCached,
    bytes: before.bytes + progress.softTargetBytes,
    inputBytes: before.inputBytes + progress.softTargetInputBytes,
    hedged: before.hedged + progress.hedged,
    askedAgain: before.askedAgain + progress.askedAgain,
    secondsWaited: before.secondsWaited + progress.phases.softTargets,
    error: { examples: error.examples + examples, sum: error.sum + sum, max: Math.max(error.max, max) },
  };
}

function paced({ all, steady }: Pace, plan: StagePlan, { step, steps, seconds, metrics }: Progress): Pace {
  const { examples } = metrics;
  const extended = (stretch: Stretch): Stretch => ({
    steps: stretch.steps + steps,
    examples: stretch.examples + examples,
    seconds: stretch.seconds + seconds,
  });
  const isSteady = step - steps >= warmupSteps(plan);
  return {
    samplesPerSecond: examples / seconds,
    all: extended(all),
    steady: isSteady ? extended(steady) : steady,
  };
}

/** Over all students, beyond the warm-up; of the whole stage where it is no longer than that; 0 where no step was taken. */
export function steadySamplesPerSecond({ pace }: Tally): number {
  const { examples, seconds } = pace.steady.steps > 0 ? pace.steady : pace.all;
  return seconds === 0 ? 0 : examples / seconds;
}

/**
 * Adds a share of an evaluation. The second result is the whole evaluation when this share completes it.
 * A chunk that came before has no effect: the same chunk has the same bits, whoever computed it (L1).
 * Throws `diverged` where students disagree about the number of chunks, `corrupt` where examples are missing.
 */
export function tallyEvaluated(
  tally: Tally,
  evaluated: Evaluated,
  expectedExamples: number,
): readonly [Tally, Evaluation | null] {
  const { step, last, chunks, results } = evaluated;
  const key = `${step}${last ? " last" : ""}`;
  const known = tally.evaluations.get(key);
  if (known === null) return [tally, null];
  const joined = new Map(known);
  for (const result of results) if (!joined.has(result.chunk)) joined.set(result.chunk, result);
  const highest = Math.max(...joined.keys());
  if (highest >= chunks) {
    throw new LimbeckError(
      "diverged",
      `chunk ${highest} of the evaluation at step ${step} is beyond the ${chunks} that another student counts`,
    );
  }
  if (joined.size < chunks) return [{ ...tally, evaluations: new Map(tally.evaluations).set(key, joined) }, null];
  const evaluation = join(Array.from({ length: chunks }, (_, chunk) => joined.get(chunk)!));
  const { examples } = evaluation.score;
  if (examples !== expectedExamples) {
    throw new LimbeckError(
      "corrupt",
      `the evaluation at step ${step} is of ${examples} examples, the split has ${expectedExamples}`,
    );
  }
  const evaluations = new Map(tally.evaluations).set(key, null);
  return [{ ...tally, evaluations, evaluation: last ? evaluation : tally.evaluation }, evaluation];
}

/** In the order of the chunks, so that the float sum has the same bits whoever computed which (L1). */
function join(chunks: readonly EvaluatedChunk[]): Evaluation {
  const examples = chunks.reduce((total, chunk) => total + chunk.examples, 0);
  const [predictions, labels] = [new Uint16Array(examples), new Uint16Array(examples)];
  const confidences = new Float32Array(examples);
  let crossEntropy = 0;
  let at = 0;
  for (const chunk of chunks) {
    predictions.set(chunk.predictions, at);
    labels.set(chunk.labels, at);
    confidences.set(chunk.confidences, at);
    crossEntropy += chunk.crossEntropy;
    at += chunk.examples;
  }
  return evaluationOf({ predictions, labels, confidences }, crossEntropy / examples);
}
