/** Progress events: what events.jsonl, `-o json`, the Watch stream and the terminal all show. */

import type { Finding } from "./doctor/finding.ts";
import type { LimbeckErrorCode } from "./errors.ts";
import type { Phase } from "./phases.ts";
import type { Stage } from "./stages.ts";
import type { TermReason } from "./termreason.ts";

/** An evaluation over a whole split. */
export interface Score {
  readonly examples: number;
  readonly errors: number;
  /** In [0,1]. */
  readonly accuracy: number;
  /** Mean over the examples, nats. */
  readonly crossEntropy: number;
}

export interface DealtLanes {
  readonly worker: string;
  readonly firstLane: number;
  readonly lanes: number;
}

type Body =
  | {
      readonly kind: "job-started";
      readonly name: string;
      readonly seed: number;
      readonly numerics: string;
      readonly lanes: number;
      readonly laneBatch: number;
      readonly students: number;
      readonly teachers: number;
      readonly stages: readonly Stage[];
    }
  | {
      readonly kind: "worker-joined";
      readonly worker: string;
      readonly role: string;
      readonly address: string;
      readonly pid: number;
    }
  | {
      readonly kind: "worker-prepared";
      readonly worker: string;
      readonly backend: string;
      readonly device: string;
      readonly why: string;
    }
  /** The coordinator gives a worker that came with the role auto another one. */
  | {
      readonly kind: "role-changed";
      readonly worker: string;
      readonly role: "student" | "teacher";
      readonly why: string;
    }
  | {
      readonly kind: "worker-lost";
      readonly worker: string;
      readonly why: string;
      /** Since it was last heard: the longest that finding it lost can have taken. */
      readonly silentMs: number;
    }
  /** In order: it handed its work over. */
  | { readonly kind: "worker-left"; readonly worker: string; readonly why: string }
  /** It may not join, or is out of the job: a zombie, another engine, one that others do not reach. */
  | { readonly kind: "worker-refused"; readonly worker: string; readonly why: string }
  /** Accepted in spite of something. */
  | { readonly kind: "worker-warned"; readonly worker: string; readonly why: string }
  | {
      readonly kind: "worker-status";
      readonly worker: string;
      readonly doing: string;
      readonly waitingFor: string;
      readonly residentBytes: number;
    }
  | {
      readonly kind: "dataset-opened";
      readonly trainExamples: number;
      readonly evaluationExamples: number;
      readonly classes: number;
      readonly shape: readonly number[];
      readonly digest: string;
    }
  | {
      readonly kind: "term-opened";
      readonly term: number;
      readonly stage: Stage;
      readonly why: string;
      readonly reason: TermReason;
      /** Nobody died: steps in flight may be finished first. */
      readonly planned: boolean;
      readonly deal: readonly DealtLanes[];
      readonly teachers: readonly string[];
      /** By teacher, which member of an ensemble it serves, from 0; only where they are served apart. */
      readonly parts?: Readonly<Record<string, number>>;
    }
  /** Teachers came or went, and the term goes on with these. */
  | {
      readonly kind: "teachers-changed";
      readonly term: number;
      readonly stage: Stage;
      readonly why: string;
      readonly teachers: readonly string[];
      readonly parts?: Readonly<Record<string, number>>;
    }
  /** All members are ready and begin at this step. */
  | { readonly kind: "term-begun"; readonly term: number; readonly stage: Stage; readonly step: number }
  /** Too few workers; the job goes on by itself when they are there. */
  | { readonly kind: "job-paused"; readonly why: string }
  /** A coordinator was started again on the journal of this job. */
  | { readonly kind: "coordinator-recovered"; readonly term: number; readonly why: string }
  | {
      readonly kind: "restored";
      readonly worker: string;
      readonly stage: Stage;
      readonly step: number;
      readonly folder: string;
    }
  /** A checkpoint that is newer and was not used. */
  | { readonly kind: "checkpoint-passed-over"; readonly worker: string; readonly why: string }
  /** A step whose summed gradient is not finite: no replica applied it. */
  | {
      readonly kind: "step-skipped";
      readonly worker: string;
      readonly stage: Stage;
      readonly step: number;
      readonly lane: number;
      readonly examples: number;
      readonly why: string;
    }
  /** A payload came damaged and was fetched again. */
  | {
      readonly kind: "payload-damaged";
      readonly worker: string;
      readonly from: string;
      readonly what: string;
      readonly why: string;
    }
  | {
      readonly kind: "replica-diverged";
      readonly worker: string;
      readonly stage: Stage;
      readonly step: number;
      readonly why: string;
    }
  | {
      readonly kind: "stage-started";
      readonly stage: Stage;
      readonly steps: number;
      readonly stepsPerEpoch: number;
      readonly parameters: number;
    }
  /** Whether the soft targets of the stage are kept on disk, and why. */
  | {
      readonly kind: "soft-target-cache";
      readonly stage: Stage;
      readonly cache: "cached" | "uncached";
      readonly why: string;
    }
  /** What the doctor found before the stage's first step. */
  | {
      readonly kind: "diagnosed";
      readonly worker: string;
      readonly stage: Stage;
      readonly findings: readonly Finding[];
    }
  | {
      readonly kind: "stepped";
      readonly stage: Stage;
      readonly step: number;
      readonly steps: number;
      /** Epochs done, with a fraction. */
      readonly epoch: number;
      readonly epochs: number;
      /** Over all students. */
      readonly samplesPerSecond: number;
      /** Means over the examples since the last event of this kind. */
      readonly loss: number;
      readonly hardLoss: number;
      /** null where the stage has no teacher. */
      readonly softLoss: number | null;
      readonly accuracy: number;
      readonly agreement: number | null;
      readonly learningRate: number;
      readonly etaSeconds: number;
      /** Seconds of the reporting student per step, by phase. */
      readonly phases: Readonly<Record<Phase, number>>;
    }
  | {
      readonly kind: "evaluated";
      readonly stage: Stage;
      readonly step: number;
      readonly epoch: number;
      readonly score: Score;
    }
  | {
      readonly kind: "checkpointed";
      readonly stage: Stage;
      readonly step: number;
      readonly folder: string;
      readonly bytes: number;
    }
  | {
      readonly kind: "stage-finished";
      readonly stage: Stage;
      readonly steps: number;
      readonly wallSeconds: number;
      readonly samplesPerSecond: number;
      readonly score: Score;
      readonly weightsSha256: string;
    }
  | {
      readonly kind: "exported";
      readonly stage: Stage;
      readonly folder: string;
      readonly format: string;
      readonly bytes: number;
      readonly score: Score;
    }
  | { readonly kind: "job-finished"; readonly report: unknown }
  | { readonly kind: "job-stopped"; readonly why: string }
  | { readonly kind: "job-failed"; readonly code: LimbeckErrorCode; readonly message: string };

/** `atMs`: Unix time in milliseconds. */
export type ProgressEvent = Body & { readonly atMs: number };
export type ProgressEventBody = Body;

/** What is decided and learnt; steps, and what workers do from moment to moment, are for figures. */
export function isDecision({ kind }: ProgressEvent): boolean {
  return kind !== "stepped" && kind !== "worker-status";
}
