/** A stage that is over, as the coordinator knows it: what it gave, what it consumed, and what was written of it. */
import type { Evaluation } from "./evaluation/evaluation.ts";
import type { Score } from "./events.ts";
import type { StagePlan } from "./stages.ts";

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
