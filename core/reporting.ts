/** Draws up the report of a job from its finished stages. */
import { cachePlan } from "./caching.ts";
import type { Finding } from "./doctor/finding.ts";
import { LimbeckError } from "./errors.ts";
import { classErrors, confusions } from "./evaluation/confusion.ts";
import { disputes } from "./evaluation/disputes.ts";
import type { Evaluation } from "./evaluation/evaluation.ts";
import { reliability } from "./evaluation/reliability.ts";
import type { FinishedStage, SoftTargetTotals } from "./finishedstage.ts";
import type { Job } from "./job.ts";
import type { Prediction } from "./plan/prediction.ts";
import type { ModelReport, RealStage, Report, ReportedDataset, ReportedEngine, ReportedWorker } from "./report.ts";
import type { Stage, StagePlan } from "./stages.ts";
import { type Counted, gapRecovered, summary } from "./summary.ts";
import { verdict } from "./verdict.ts";

export interface ReportFacts {
  readonly terms: number;
  readonly doctor: readonly Finding[];
  readonly predicted: Prediction | null;
  readonly dataset: ReportedDataset;
  readonly build: string;
  readonly startedMs: number;
  readonly job: Job;
  readonly engine: ReportedEngine;
  readonly workers: readonly ReportedWorker[];
  readonly wallSeconds: number;
  readonly stages: readonly FinishedStage[];
  /** Why soft targets must not be cached, as the teachers found; empty where they may. */
  readonly uncacheable: string;
}

const withoutBaseline = {
  verdict: "inconclusive",
  pValue: null,
  studentOnly: null,
  baselineOnly: null,
  why: "there is no baseline to compare with: the job says baseline: false",
} as const;

/** Throws `internal` where the stages teach and distil are not both there, or were measured on different examples. */
export function buildReport(facts: ReportFacts): Report {
  const { job, dataset, engine, workers, wallSeconds, stages, terms, uncacheable, doctor, predicted } = facts;
  const find = (stage: Stage) => stages.find(({ plan }) => plan.stage === stage);
  const [teacher, student, baseline] = [find("teach"), find("distil"), find("baseline")];
  if (!teacher || !student) throw new LimbeckError("internal", "a report needs the stages teach and distil");
  const { verdict: word, ...detail } = baseline
    ? verdict(student.evaluation.correct, baseline.evaluation.correct)
    : withoutBaseline;
  const { pictures } = student.exported;
  const compared = {
    teacher: counted(teacher),
    student: counted(student),
    baseline: baseline ? counted(baseline) : null,
  };
  return {
    job: job.name,
    build: facts.build,
    startedMs: facts.startedMs,
    dataset: reportedDataset(facts.dataset),
    summary: summary(compared, detail.pValue),
    gapRecovered: gapRecovered(compared),
    seed: job.seed,
    numerics: job.numerics,
    engine,
    evaluationSplit: job.evaluation.split,
    steps: student.plan.steps,
    epochs: epochsOf(student.plan),
    wallSeconds,
    samplesPerSecond: student.samplesPerSecond,
    teacher: modelReport(teacher, dataset),
    student: {
      ...modelReport(student, dataset),
      agreementWithTeacher: agreement(student.evaluation, teacher.evaluation),
    },
    baseline: baseline ? modelReport(baseline, dataset) : null,
    verdict: word,
    verdictDetail: detail,
    ledger: student.ledger,
    softTargets: {
      ...student.softTargets,
      error: measuredError(student.softTargets),
      cache: cacheLine(job, uncacheable),
    },
    models: stages.flatMap(({ plan, exported }) =>
      exported.models.map(({ score, ...model }) => ({ stage: plan.stage, ...model, test: score })),
    ),
    disputes: disputes(teacher.evaluation, student.evaluation).map((dispute) => ({
      ...dispute,
      picture: pictures.find(({ example }) => example === dispute.example) ?? null,
    })),
    doctor,
    plan: predicted && { predicted, real: { wallSeconds, stages: stages.map(realStage) } },
    terms,
    stages: stages.map(({ plan, wallSeconds, samplesPerSecond, ledger, skippedSteps }) => ({
      stage: plan.stage,
      steps: plan.steps,
      epochs: epochsOf(plan),
      wallSeconds,
      samplesPerSecond,
      ledger,
      skippedSteps,
    })),
    workers,
  };
}

function measuredError({ error: { examples, sum, max } }: SoftTargetTotals): Report["softTargets"]["error"] {
  return examples === 0 ? null : { examples, meanKl: sum / examples, maxKl: max };
}

function modelReport(stage: FinishedStage, { classes }: ReportedDataset): ModelReport {
  const { parameters, evaluation, weightsSha256, exported } = stage;
  return {
    parameters,
    test: evaluation.score,
    weightsSha256,
    classes: classErrors(evaluation, classes),
    confusions: confusions(evaluation),
    calibration: reliability(evaluation),
    latencies: exported.models.find(({ format }) => format === "float32")?.latencies ?? exported.latencies,
  };
}

function counted({ parameters, evaluation }: FinishedStage): Counted {
  return { parameters, errors: evaluation.score.errors };
}

/** Without what else the caller's has. */
function reportedDataset(dataset: ReportedDataset): ReportedDataset {
  const { trainExamples, evaluationExamples, classes, shape, digest, classNames } = dataset;
  return { trainExamples, evaluationExamples, classes, shape, digest, classNames };
}

function cacheLine(job: Job, uncacheable: string): string {
  const { kind, why } = cachePlan(job, uncacheable);
  return `${kind}: ${why}`;
}

/** Passes over the training split, with a fraction where the budget ends inside one. */
function epochsOf({ steps, stepsPerEpoch }: StagePlan): number {
  return steps / stepsPerEpoch;
}

function realStage({ plan, samplesPerSecond, wallSeconds, ledger }: FinishedStage): RealStage {
  const perStep = ledger.examplesPerEpoch / plan.stepsPerEpoch;
  return { stage: plan.stage, stepSeconds: samplesPerSecond === 0 ? 0 : perStep / samplesPerSecond, wallSeconds };
}

/** The share of the examples on which both predict the same class. */
function agreement(student: Evaluation, teacher: Evaluation): number {
  const [ours, theirs] = [student.predictions, teacher.predictions];
  if (ours.length !== theirs.length) {
    throw new LimbeckError(
      "internal",
      `student and teacher were evaluated on ${ours.length} and ${theirs.length} examples`,
    );
  }
  return ours.reduce((equal, predicted, at) => equal + Number(predicted === theirs[at]), 0) / ours.length;
}
