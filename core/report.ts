/** What a job gave: what report.json holds of its stages (core/runreport.ts has the rest). core/reporting.ts draws it up. */
import type { Finding } from "./doctor/finding.ts";
import type { ClassErrors, Confusion } from "./evaluation/confusion.ts";
import type { Dispute } from "./evaluation/disputes.ts";
import type { Reliability } from "./evaluation/reliability.ts";
import type { Score } from "./events.ts";
import type { ExportedModel, Latency, LedgerTotals, Picture, SoftTargetTotals } from "./finishedstage.ts";
import type { Job } from "./job.ts";
import type { Prediction } from "./plan/prediction.ts";
import type { Stage } from "./stages.ts";
import type { PairedTest, Verdict } from "./verdict.ts";

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
