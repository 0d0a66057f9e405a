/** A stage in progress and its end: the students' reports, their agreement, the export, the next stage or the report. */
import { asLimbeckError } from "../core/errors.ts";
import { buildReport, type FinishedStage, type ReportedWorker } from "../core/report.ts";
import { announce, end, fail } from "./ending.ts";
import type { MessageOf } from "./messages.ts";
import type { Effect, Exporting, Next, Plan, Running, Worker } from "./state.ts";
import { liveSamplesPerSecond, steadySamplesPerSecond, tallyEvaluated, tallyProgress } from "./tally.ts";
import { named, openTerm } from "./term.ts";

function studentsOf({ deal }: Running): string[] {
  return deal.map(({ worker }) => worker);
}

export function progressed(state: Running, atMs: number, worker: Worker, progress: MessageOf<"progress">): Next {
  const { plan } = state;
  const { metrics, step } = progress;
  const byLead = worker.name === state.deal[0]!.worker;
  const losses = [metrics.loss, metrics.hardLoss, metrics.softLoss];
  if (!losses.every(Number.isFinite)) {
    const message = `${worker.name}: the loss of ${plan.stage} is not finite at step ${step} (${losses.join(", ")}): a lower learning rate or clipNorm may help`;
    return fail(state, atMs, "diverged", message);
  }
  const tally = tallyProgress(state.tally, plan, worker.name, progress);
  const next: Running = { ...state, tally, sinceMs: atMs };
  const measured: Effect = { kind: "measure", progress, byLead };
  return byLead ? [next, measured, stepped(next, atMs, progress)] : [next, measured];
}

/** The lead speaks for all: its losses are sums over the global batches. */
function stepped(state: Running, atMs: number, progress: MessageOf<"progress">): Effect {
  const { plan, tally } = state;
  const { metrics, phases, step, learningRate } = progress;
  const mean = (sum: number) => sum / metrics.examples;
  const perStep = (seconds: number) => seconds / progress.steps;
  const { seconds, steps } = tally.paces.get(state.deal[0]!.worker)!.all;
  return announce(atMs, {
    kind: "stepped",
    stage: plan.stage,
    step,
    steps: plan.steps,
    epoch: step / plan.stepsPerEpoch,
    epochs: plan.steps / plan.stepsPerEpoch,
    // Until all have reported, the lead's count of the global batches stands for them.
    samplesPerSecond: liveSamplesPerSecond(tally, studentsOf(state)) ?? metrics.examples / progress.seconds,
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

export function evaluated(state: Running, atMs: number, worker: Worker, share: MessageOf<"evaluated">): Next {
  const { plan, dataset } = state;
  try {
    const [tally, whole] = tallyEvaluated(state.tally, share, dataset.evaluationExamples);
    const next: Running = { ...state, tally, sinceMs: atMs };
    if (!whole) return [next];
    const epoch = share.step / plan.stepsPerEpoch;
    const { score } = whole;
    return [next, announce(atMs, { kind: "evaluated", stage: plan.stage, step: share.step, epoch, score })];
  } catch (thrown) {
    const { code, message } = asLimbeckError(thrown);
    return fail(state, atMs, code, `${worker.name}, evaluating ${plan.stage}: ${message}`);
  }
}

/** A student has trained and evaluated to the end. When all have, and agree, the stage is over. */
export function done(plan: Plan, state: Running, atMs: number, worker: Worker, found: MessageOf<"stageDone">): Next {
  const { stage, steps } = state.plan;
  if (found.step !== steps) {
    return fail(state, atMs, "internal", `${worker.name} ended ${stage} at step ${found.step} of ${steps}`);
  }
  for (const [other, { weightsSha256, consumed }] of state.tally.done) {
    if (weightsSha256 !== found.weightsSha256) {
      const message = `${other} and ${worker.name} ended ${stage} with different weights: ${weightsSha256} and ${found.weightsSha256}`;
      return fail(state, atMs, "diverged", message);
    }
    for (const field of ["examplesPerEpoch", "epochs", "seen", "duplicated", "missing"] as const) {
      if (consumed[field] === found.consumed[field]) continue;
      const message = `${other} and ${worker.name} counted differently what ${stage} consumed: ${field} ${consumed[field]} and ${found.consumed[field]}`;
      return fail(state, atMs, "diverged", message);
    }
  }
  const tally = { ...state.tally, done: new Map(state.tally.done).set(worker.name, found) };
  const next: Running = { ...state, tally, sinceMs: atMs };
  return tally.done.size < state.deal.length ? [next] : finishStage(plan, next, atMs, found);
}

function finishStage(plan: Plan, state: Running, atMs: number, agreed: MessageOf<"stageDone">): Next {
  const { stage, steps } = state.plan;
  const { tally, parameters } = state;
  if (!tally.evaluation) {
    return fail(state, atMs, "internal", `all students are done with ${stage}, but its evaluation is not complete`);
  }
  const result: FinishedStage = {
    plan: state.plan,
    parameters,
    weightsSha256: agreed.weightsSha256,
    evaluation: tally.evaluation,
    ledger: agreed.consumed,
    softTargets: tally.softTargets,
    wallSeconds: (atMs - state.openedMs) / 1000,
    samplesPerSecond: steadySamplesPerSecond(tally, studentsOf(state)),
    exported: [],
  };
  const { wallSeconds, samplesPerSecond, weightsSha256 } = result;
  const finished = announce(atMs, {
    kind: "stage-finished",
    stage,
    steps,
    wallSeconds,
    samplesPerSecond,
    score: tally.evaluation.score,
    weightsSha256,
  });
  const { tally: _, parameters: __, ...inTerm } = state;
  const exporting: Exporting = { ...inTerm, kind: "exporting", sinceMs: atMs, result };
  if (stage === "baseline") {
    const [next, ...effects] = nextStage(plan, exporting, atMs);
    return [next, finished, ...effects];
  }
  const lead = state.workers.find(({ name }) => name === state.deal[0]!.worker)!;
  const message = { term: state.term, export: { stage }, body: "export" } as const;
  return [exporting, finished, { kind: "send", session: lead.session, message }];
}

/** The lead has written the stage's models. */
export function exported(plan: Plan, state: Exporting, atMs: number, { stage, models }: MessageOf<"exported">): Next {
  const told = models.map((model) => announce(atMs, { kind: "exported", stage, ...model }));
  const [next, ...effects] = nextStage(plan, { ...state, result: { ...state.result, exported: models } }, atMs);
  return [next, ...told, ...effects];
}

function nextStage(plan: Plan, state: Exporting, atMs: number): Next {
  const finished = [...state.finished, state.result];
  const following = state.stages[finished.length];
  if (following) {
    const why = `${state.plan.stage} is over, ${following.stage} begins`;
    return openTerm(plan.job, { ...state, finished }, { atMs, plan: following, why });
  }
  const workers = [...named(state.workers, "student"), ...named(state.workers, "teacher")];
  const report = buildReport({
    job: plan.job,
    engine: workers[0]!.prepared!.engine,
    workers: workers.map(reportedWorker),
    wallSeconds: (atMs - state.startedMs) / 1000,
    stages: finished,
  });
  return end(state, atMs, { kind: "done", report });
}

function reportedWorker({ name, role, prepared, peakResidentBytes }: Worker): ReportedWorker {
  const { backend, device } = prepared!.engine;
  return { worker: name, role, engine: backend, device, residentBytes: peakResidentBytes };
}
