/** A stage in progress: the students' reports, and their agreement at its end. */
import { asLimbeckError } from "../core/errors.ts";
import { timed } from "./balance.ts";
import { rollBack } from "./divergence.ts";
import { announce, end, fail, stopped } from "./ending.ts";
import type { MessageOf } from "./messages.ts";
import { splitObserved } from "./rolechange.ts";
import { finishStage } from "./stageend.ts";
import type { Active, Course, Effect, Next, Plan, Running, Worker } from "./state.ts";
import { tallyEvaluated, tallyProgress } from "./tally.ts";

export function progressed(
  plan: Plan,
  before: Running,
  atMs: number,
  worker: Worker,
  progress: MessageOf<"progress">,
): Next {
  const byLead = worker.name === before.deal[0]!.worker;
  const state = splitObserved(plan, timed(before, worker, progress), atMs, { progress, byLead });
  const { course } = state;
  const tally = tallyProgress(course.tally, course.plan, { worker: worker.name, byLead, progress });
  const next: Running = { ...state, course: { ...course, tally }, sinceMs: atMs };
  const measured: Effect = { kind: "measure", progress, by: { isLead: byLead } };
  // Steps that were all skipped have no loss to tell of; each has its own event.
  const isTold = byLead && progress.metrics.examples > 0;
  return isTold ? [next, measured, stepped(next, atMs, progress)] : [next, measured];
}

/** The lead speaks for all: its losses are sums over the global batches. */
function stepped({ course: { plan, tally } }: Running, atMs: number, progress: MessageOf<"progress">): Effect {
  const { metrics, phases, step, learningRate } = progress;
  const mean = (sum: number) => sum / metrics.examples;
  const perStep = (seconds: number) => seconds / progress.steps;
  const { seconds, steps } = tally.pace.all;
  return announce(atMs, {
    kind: "stepped",
    stage: plan.stage,
    step,
    steps: plan.steps,
    epoch: step / plan.stepsPerEpoch,
    epochs: plan.steps / plan.stepsPerEpoch,
    samplesPerSecond: tally.pace.samplesPerSecond,
    loss: mean(metrics.loss),
    hardLoss: mean(metrics.hardLoss),
    softLoss: plan.soft ? mean(metrics.softLoss) : null,
    accuracy: mean(metrics.correct),
    agreement: plan.soft ? mean(metrics.agree) : null,
    learningRate,
    etaSeconds: ((plan.steps - step) * seconds) / steps,
    phases: {
      data: perStep(phases.data),
      softTargets: perStep(phases.softTargets),
      compute: perStep(phases.compute),
      exchange: perStep(phases.exchange),
      apply: perStep(phases.apply),
    },
  });
}

/** A lane's gradient was not finite. Told once for each, though a step may be done again. */
export function skipped(state: Running, atMs: number, worker: Worker, found: MessageOf<"skipped">): Next {
  const { kind: _, term: __, ...lane } = found;
  const key = `${found.step}/${found.lane}`;
  if (state.course.tally.skipped.has(key)) return [state];
  const tally = { ...state.course.tally, skipped: new Map(state.course.tally.skipped).set(key, lane) };
  const { stage, step, examples, why } = found;
  return [
    { ...state, course: { ...state.course, tally } },
    { kind: "quarantine", worker: worker.name, skipped: lane },
    announce(atMs, {
      kind: "step-skipped",
      worker: worker.name,
      stage,
      step,
      lane: found.lane,
      examples: examples.length,
      why,
    }),
  ];
}

/** Announced once, though a worker tells it again to a coordinator that is back. */
export function checkpointed(before: Active, atMs: number, found: MessageOf<"checkpointed">): Next {
  const { stage, step, folder, bytes } = found;
  const { course } = before;
  const isNew = course !== null && step > course.tally.checkpointed;
  const told = isNew ? [announce(atMs, { kind: "checkpointed", stage, step, folder, bytes })] : [];
  const state = isNew ? withCheckpoint(before, course, step) : before;
  if (state.kind !== "running" || !state.stopping) return [state, ...told];
  const [ended, ...effects] = end(state, atMs, stopped(state.stopping));
  return [ended, ...told, ...effects];
}

function withCheckpoint<S extends Active>(state: S, course: Course, step: number): S {
  return { ...state, course: { ...course, tally: { ...course.tally, checkpointed: step } } };
}

export function evaluated(
  plan: Plan,
  state: Running,
  atMs: number,
  worker: Worker,
  share: MessageOf<"evaluated">,
): Next {
  const { course } = state;
  const { plan: current, dataset } = course;
  try {
    const [tally, whole] = tallyEvaluated(course.tally, share, dataset.evaluationExamples);
    const next: Running = { ...state, course: { ...course, tally }, sinceMs: atMs };
    if (!whole) return [next];
    const epoch = share.step / current.stepsPerEpoch;
    const { score } = whole;
    const told = announce(atMs, { kind: "evaluated", stage: current.stage, step: share.step, epoch, score });
    const [concluded, ...effects] = conclude(plan, next, atMs);
    return [concluded, told, ...effects];
  } catch (thrown) {
    const { code, message } = asLimbeckError(thrown);
    return fail(state, atMs, code, `${worker.name}, evaluating ${current.stage}: ${message}`);
  }
}

/** A student has trained and evaluated to the end. */
export function done(plan: Plan, state: Running, atMs: number, worker: Worker, found: MessageOf<"stageDone">): Next {
  const { course } = state;
  const { stage, steps } = course.plan;
  if (found.step !== steps) {
    return fail(state, atMs, "internal", `${worker.name} ended ${stage} at step ${found.step} of ${steps}`);
  }
  const done = new Map(course.tally.done).set(worker.name, found);
  const workers = state.workers.map((each) =>
    each.name === worker.name ? { ...each, holds: [...new Set([...each.holds, stage])] } : each,
  );
  return conclude(
    plan,
    { ...state, workers, course: { ...course, tally: { ...course.tally, done } }, sinceMs: atMs },
    atMs,
  );
}

/**
 * When all members are done, and agree, the stage is over. A share of the evaluation may come after that: one that was
 * told while the coordinator was away is told again.
 */
function conclude(plan: Plan, state: Running, atMs: number): Next {
  const { done, evaluation } = state.course.tally;
  const { stage, steps } = state.course.plan;
  const reports = state.deal.flatMap((each) => done.get(each.worker) ?? []);
  if (reports.length < state.deal.length) return [state];
  const weights = new Map([...done].map(([name, { weightsSha256 }]) => [name, weightsSha256]));
  if (new Set(weights.values()).size > 1) return rollBack(plan, state, atMs, { step: steps, weights });
  for (const field of ["examplesPerEpoch", "epochs", "seen", "duplicated", "missing"] as const) {
    const counts = new Set(reports.map(({ consumed }) => consumed[field]));
    if (counts.size === 1) continue;
    const message = `the students counted differently what ${stage} consumed: ${field} ${[...counts].join(" and ")}`;
    return fail(state, atMs, "diverged", message);
  }
  return evaluation ? finishStage(plan, state, atMs, { agreed: reports[0]!, evaluation }) : [state];
}
