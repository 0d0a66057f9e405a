/** The report: what a job gave, drawn up from its finished stages. What report.json holds. */
import { cachePlan } from "./caching.ts";
import type { Finding } from "./doctor/finding.ts";
import { LimbeckError } from "./errors.ts";
import { type ClassErrors, type Confusion, classErrors, confusions } from "./evaluation/confusion.ts";
import { type Dispute, disputes } from "./evaluation/disputes.ts";
import type { Evaluation } from "./evaluation/evaluation.ts";
import { type Reliability, reliability } from "./evaluation/reliability.ts";
import type { Score } from "./events.ts";
import type { Job } from "./job.ts";
import type { Prediction } from "./plan/prediction.ts";
import type { Stage, StagePlan } from "./stages.ts";
import { type Counted, gapRecovered, summary } from "./summary.ts";
import { type PairedTest, type Verdict, verdict } from "./verdict.ts";

/** Counted from what was consumed, summed over epochs (L2): with whole epochs, seen = examplesPerEpoch · epochs. */
export interface LedgerTotals {
  readonly examplesPerEpoch: number;
  /** Epochs that ended. */
  readonly epochs: number;
  readonly seen: number;
  readonly duplicated: number;
  readonly missing: number;
}

/** A model in the run folder, measured as it loads back from disk. */
export interface ExportedModel {
  /** Relative to the run folder. */
  readonly folder: string;
  readonly format: string;
  readonly bytes: number;
  readonly score: Score;
  readonly latencies: readonly Latency[];
}

/** Answering a batch, on the exporter's engine, with whatever else ran on its machine. */
export interface Latency {
  /** Examples. */
  readonly batch: number;
  readonly medianSeconds: number;
  readonly p95Seconds: number;
}

/** An example to be looked at. */
export interface Picture {
  /** In the evaluation split. */
  readonly example: number;
  /** [height, width, channels] of the pixels; [n] where it is no image. */
  readonly shape: readonly number[];
  /** uint8, base64; empty where it is no image. */
  readonly pixels: string;
  /** Of what is no image, the first. */
  readonly values: readonly number[];
}

/** What the exporter of a stage wrote and measured. */
export interface Exported {
  readonly models: readonly ExportedModel[];
  /** Of a teacher that is only asked, and not written. */
  readonly latencies: readonly Latency[];
  /** Of the most disputed examples. */
  readonly pictures: readonly Picture[];
}

export const nothingExported: Exported = { models: [], latencies: [], pictures: [] };

/** What students asked of teachers in a stage. */
export interface SoftTargetTotals {
  /** Soft targets that were needed: one for each example that was consumed. */
  readonly requested: number;
  /** Of them, those that were on disk: no teacher was asked. */
  readonly cached: number;
  /** Of logits received from teachers. */
  readonly bytes: number;
  /** Of inputs sent to them; 0 where they read the dataset themselves. */
  readonly inputBytes: number;
  /** Requests that a second teacher was asked for, too, as the first was late. */
  readonly hedged: number;
  /** Requests that came to nothing with the teacher asked first. */
  readonly askedAgain: number;
  /** In which students had nothing to do but wait for teachers, summed over them. */
  readonly secondsWaited: number;
  /** KL(true || decoded) of the softened distributions over a sample, nats: what the format costs. */
  readonly error: { readonly examples: number; readonly sum: number; readonly max: number };
}

export const noSoftTargets: SoftTargetTotals = {
  ...{ requested: 0, cached: 0, bytes: 0, inputBytes: 0, hedged: 0, askedAgain: 0, secondsWaited: 0 },
  error: { examples: 0, sum: 0, max: 0 },
};

/** A stage that is over, as the coordinator knows it. */
export interface FinishedStage {
  readonly plan: StagePlan;
  readonly parameters: number;
  readonly weightsSha256: string;
  readonly evaluation: Evaluation;
  readonly ledger: LedgerTotals;
  readonly softTargets: SoftTargetTotals;
  /** Steps that no replica applied, for their gradient was not finite. */
  readonly skippedSteps: number;
  readonly wallSeconds: number;
  /** Steady state, over all students; 0 where no step was taken. */
  readonly samplesPerSecond: number;
  readonly exported: Exported;
}

export interface ReportedEngine {
  readonly backend: string;
  /** null on wasm. */
  readonly tensorflowVersion: string | null;
  readonly device: string;
  readonly gpu: boolean;
  readonly threads: number;
  readonly why: string;
  readonly fingerprint: string;
}

export interface ReportedWorker {
  readonly worker: string;
  readonly role: string;
  readonly engine: string;
  readonly device: string;
  /** The most it ever reported. */
  readonly residentBytes: number;
}

export interface ModelReport {
  readonly parameters: number;
  /** On the split named by `evaluationSplit`. */
  readonly test: Score;
  readonly weightsSha256: string;
  /** By class. */
  readonly classes: readonly ClassErrors[];
  /** What was taken for what, the most frequent first. */
  readonly confusions: readonly Confusion[];
  readonly calibration: Reliability;
  /** Of its float32 weights; none where it was not exported. */
  readonly latencies: readonly Latency[];
}

export interface ReportedDataset {
  readonly trainExamples: number;
  readonly evaluationExamples: number;
  readonly classes: number;
  /** Of one example. */
  readonly shape: readonly number[];
  readonly digest: string;
  /** By class; empty where it has none. */
  readonly classNames: readonly string[];
}

export interface StageReport {
  readonly stage: Stage;
  readonly steps: number;
  readonly epochs: number;
  readonly wallSeconds: number;
  readonly samplesPerSecond: number;
  readonly ledger: LedgerTotals;
  readonly skippedSteps: number;
}

export interface Report {
  readonly job: string;
  /** Version of Limbeck. */
  readonly build: string;
  /** Unix time in milliseconds. */
  readonly startedMs: number;
  readonly dataset: ReportedDataset;
  /** What came of it, in a sentence. */
  readonly summary: string;
  /** What of the errors that the teacher spares the baseline it spares the student too; null where it spares none. */
  readonly gapRecovered: number | null;
  readonly seed: number;
  readonly numerics: Job["numerics"];
  /** Of the lead student. */
  readonly engine: ReportedEngine;
  readonly evaluationSplit: Job["evaluation"]["split"];
  /** Of the distil stage, as are epochs, samplesPerSecond, ledger and softTargets. */
  readonly steps: number;
  readonly epochs: number;
  /** Of the whole job. */
  readonly wallSeconds: number;
  readonly samplesPerSecond: number;
  readonly teacher: ModelReport;
  readonly student: ModelReport & { readonly agreementWithTeacher: number };
  readonly baseline: ModelReport | null;
  readonly verdict: Verdict["verdict"];
  /** The paired test behind the verdict; its numbers are null where there is no baseline. */
  readonly verdictDetail: { readonly [K in keyof PairedTest]: number | null } & { readonly why: string };
  readonly ledger: LedgerTotals;
  /** `cache` says whether and why they were kept on disk. */
  readonly softTargets: Omit<SoftTargetTotals, "error"> & {
    /** null where nothing was measured: float32 costs nothing. */
    readonly error: { readonly examples: number; readonly meanKl: number; readonly maxKl: number } | null;
    readonly cache: string;
  };
  /** Where teacher and student differ, and both are sure: the surest first. */
  readonly disputes: readonly (Dispute & { readonly picture: Picture | null })[];
  /** The models in the run folder: teacher, student and its quantised variants. */
  readonly models: readonly ({ readonly stage: Stage; readonly test: Score } & Omit<ExportedModel, "score">)[];
  readonly stages: readonly StageReport[];
  /** What was found before the first steps; empty with `doctor: false`. */
  readonly doctor: readonly Finding[];
  /** null where nothing was predicted. */
  readonly plan: PlanReport | null;
  /** Memberships the job had. */
  readonly terms: number;
  /** Those of the end. */
  readonly workers: readonly ReportedWorker[];
}

/** What `limbeck plan --save` had measured made of this run beforehand, beside what it was. */
export interface PlanReport {
  readonly predicted: Prediction;
  readonly real: { readonly wallSeconds: number; readonly stages: readonly RealStage[] };
}

export interface RealStage {
  readonly stage: Stage;
  /** Steady state; 0 where no step was taken. */
  readonly stepSeconds: number;
  readonly wallSeconds: number;
}

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

const withoutBaseline = {
  verdict: "inconclusive",
  pValue: null,
  studentOnly: null,
  baselineOnly: null,
  why: "there is no baseline to compare with: the job says baseline: false",
} as const;

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
