/**
 * Sums up what the students of a running stage report: pace, soft targets, evaluations. The sums do not depend on
 * the order in which different workers are heard.
 */
import { LimbeckError } from "../core/errors.ts";
import type { Evaluation } from "../core/report.ts";
import type { StagePlan } from "../core/stages.ts";
import type { Evaluated, EvaluatedChunk, Progress } from "./messages.ts";
import type { Pace, Stretch, Tally } from "./state.ts";

export const emptyTally: Tally = {
  paces: new Map(),
  softTargets: { requested: 0, bytes: 0 },
  evaluations: new Map(),
  evaluation: null,
  done: new Map(),
};

const noStretch: Stretch = { steps: 0, examples: 0, seconds: 0 };

/** Steps that do not count for the steady state: the first tenth, at least five. */
function warmupSteps({ steps }: StagePlan): number {
  return Math.max(5, Math.ceil(steps / 10));
}

export function tallyProgress(tally: Tally, plan: StagePlan, worker: string, progress: Progress): Tally {
  const { step, steps, examples, seconds, softTargets, softTargetBytes } = progress;
  const before = tally.paces.get(worker);
  const isSteady = step - steps >= warmupSteps(plan);
  const pace: Pace = {
    step,
    samplesPerSecond: examples / seconds,
    all: extended(before?.all ?? noStretch, progress),
    steady: isSteady ? extended(before?.steady ?? noStretch, progress) : (before?.steady ?? noStretch),
  };
  return {
    ...tally,
    paces: new Map(tally.paces).set(worker, pace),
    softTargets: {
      requested: tally.softTargets.requested + softTargets,
      bytes: tally.softTargets.bytes + softTargetBytes,
    },
  };
}

function extended(stretch: Stretch, { steps, examples, seconds }: Progress): Stretch {
  return {
    steps: stretch.steps + steps,
    examples: stretch.examples + examples,
    seconds: stretch.seconds + seconds,
  };
}

/** Over all students, by their last reports; none before each has reported. */
export function liveSamplesPerSecond({ paces }: Tally, students: readonly string[]): number | null {
  if (paces.size < students.length) return null;
  return students.reduce((total, student) => total + paces.get(student)!.samplesPerSecond, 0);
}

/** Over all students, beyond the warm-up; of the whole stage where it is no longer than that. */
export function steadySamplesPerSecond({ paces }: Tally, students: readonly string[]): number {
  const known = students.flatMap((student) => paces.get(student) ?? []);
  const hasSteady = known.length > 0 && known.every(({ steady }) => steady.steps > 0);
  const stretches = known.map(({ steady, all }) => (hasSteady ? steady : all));
  return stretches.reduce((total, { examples, seconds }) => total + examples / seconds, 0);
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
  const predictions = new Uint16Array(examples);
  const correct = new Uint8Array(examples);
  let crossEntropy = 0;
  let at = 0;
  for (const chunk of chunks) {
    predictions.set(chunk.predictions, at);
    correct.set(chunk.correct, at);
    crossEntropy += chunk.crossEntropy;
    at += chunk.examples;
  }
  const errors = correct.reduce((wrong, right) => wrong + Number(right === 0), 0);
  const score = { examples, errors, accuracy: (examples - errors) / examples, crossEntropy: crossEntropy / examples };
  return { score, predictions, correct };
}
