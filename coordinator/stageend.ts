/** The end of a stage: its models are written, then the next stage begins, or the job ends with its report. */
import { disputes } from "../core/evaluation/disputes.ts";
import type { Evaluation } from "../core/evaluation/evaluation.ts";
import { type FinishedStage, nothingExported } from "../core/finishedstage.ts";
import type { ReportedWorker } from "../core/report.ts";
import { buildReport } from "../core/reporting.ts";
import { announce, end } from "./ending.ts";
import { send } from "./letters.ts";
import { named } from "./members.ts";
import type { MessageOf, StageDone } from "./messages.ts";
import { finishedRecord } from "./replay.ts";
import type { Course, Effect, Exporting, Next, Plan, Running, Worker } from "./state.ts";
import { emptyTally, steadySamplesPerSecond } from "./tally.ts";
import { openTerm } from "./term.ts";

/** All students are done with it, and agree on what they have. */
export function finishStage(
  plan: Plan,
  state: Running,
  atMs: number,
  { agreed, evaluation }: { agreed: StageDone; evaluation: Evaluation },
): Next {
  const { course, parameters } = state;
  const { tally } = course;
  const { stage, steps } = course.plan;
  const result: FinishedStage = {
    plan: course.plan,
    parameters,
    weightsSha256: agreed.weightsSha256,
    evaluation,
    ledger: agreed.consumed,
    softTargets: tally.softTargets,
    skippedSteps: new Set([...tally.skipped.values()].map(({ step }) => step)).size,
    wallSeconds: (atMs - course.openedMs) / 1000,
    samplesPerSecond: steadySamplesPerSecond(tally),
    exported: nothingExported,
  };
  const { wallSeconds, samplesPerSecond, weightsSha256 } = result;
  const { score } = evaluation;
  const told = { stage, steps, wallSeconds, samplesPerSecond, score, weightsSha256 };
  const finished: Effect[] = [
    { kind: "journal", record: finishedRecord(result) },
    announce(atMs, { kind: "stage-finished", ...told }),
  ];
  const { parameters: _, suspicions: __, digests: ___, betterDealSinceMs: ____, stopping: _____, ...inTerm } = state;
  const exporting: Exporting = { ...inTerm, kind: "exporting", sinceMs: atMs, result, exporter: state.deal[0]!.worker };
  if (stage === "baseline") {
    const [next, ...effects] = nextStage(plan, exporting, atMs);
    return [next, ...finished, ...effects];
  }
  return [exporting, ...finished, exportOrder(exporting)];
}

/** With the examples on which teacher and student differ most, to be looked at in the report. */
export function exportOrder({ workers, exporter, term, result, course }: Exporting): Effect {
  const { session } = workers.find(({ name }) => name === exporter)!;
  const { stage } = result.plan;
  const teacher = course.finished.find(({ plan }) => plan.stage === "teach");
  const isStudent = stage === "distil" && teacher !== undefined;
  const pictures = isStudent ? disputes(teacher.evaluation, result.evaluation).map(({ example }) => example) : [];
  return send(session, { term, export: { stage, pictures }, body: "export" });
}

/** The stage's models are written. */
export function exported(plan: Plan, state: Exporting, atMs: number, found: MessageOf<"exported">): Next {
  const { stage, models, latencies, pictures } = found;
  const told = models.map(({ latencies: _, ...model }) => announce(atMs, { kind: "exported", stage, ...model }));
  const exported = { models, latencies, pictures };
  const [next, ...effects] = nextStage(plan, { ...state, result: { ...state.result, exported } }, atMs);
  return [next, { kind: "journal", record: { kind: "exported", stage, ...exported, atMs } }, ...told, ...effects];
}

export function nextStage(plan: Plan, state: Exporting, atMs: number): Next {
  const { course } = state;
  const finished = [...course.finished, state.result];
  const following = course.stages[finished.length];
  if (following) {
    const why = `${course.plan.stage} is over, ${following.stage} begins`;
    const next: Course = { ...course, finished, plan: following, openedMs: atMs, hasBegun: false, tally: emptyTally };
    return openTerm(plan, { ...state, course: next }, { atMs, why, reason: "stage", planned: true });
  }
  const workers = [...named(state.workers, "student"), ...named(state.workers, "teacher")];
  const report = buildReport({
    job: plan.job,
    engine: workers[0]!.prepared!.engine,
    workers: workers.map(reportedWorker),
    wallSeconds: (atMs - state.startedMs) / 1000,
    stages: finished,
    terms: state.term,
    uncacheable: course.uncacheable,
    doctor: course.doctor,
    predicted: plan.predicted,
    dataset: course.dataset,
    build: plan.build,
    startedMs: state.startedMs,
  });
  return end(state, atMs, { kind: "done", report });
}

function reportedWorker({ name, role, prepared, peakResidentBytes }: Worker): ReportedWorker {
  const { backend, device } = prepared!.engine;
  return { worker: name, role, engine: backend, device, residentBytes: peakResidentBytes };
}
