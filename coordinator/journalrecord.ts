/**
 * What the journal keeps: decisions, each on disk before anybody hears of it. Replayed (coordinator/replay.ts) they give
 * the state of a coordinator that waits for its workers to come back. A job's term never goes back (L3).
 */
import type { Finding } from "../core/doctor/finding.ts";
import type { DealtLanes } from "../core/events.ts";
import type { Exported, LedgerTotals, SoftTargetTotals } from "../core/finishedstage.ts";
import type { Report } from "../core/report.ts";
import type { Stage } from "../core/stages.ts";
import type { DatasetInfo__Output } from "../proto/gen/limbeck/v1/DatasetInfo.ts";
import type { Role } from "./messages.ts";

/** What the members of a term were told to begin with. */
export interface Begun {
  readonly step: number;
  readonly sources: readonly string[];
  readonly sumSources: readonly string[];
  readonly evaluate: boolean;
  /** Why soft targets must not be cached, as the teachers found; empty where they may. */
  readonly uncacheable: string;
}

export type JournalRecord =
  | { readonly kind: "started"; readonly atMs: number; readonly build: string }
  | {
      readonly kind: "settled";
      readonly dataset: DatasetInfo__Output;
      readonly fingerprints: Readonly<Record<Role, string>>;
    }
  | {
      readonly kind: "term";
      readonly atMs: number;
      readonly term: number;
      readonly stage: Stage;
      readonly deal: readonly DealtLanes[];
      readonly teachers: readonly string[];
      /** By teacher, the part it serves; only where the teacher has several. */
      readonly parts?: Readonly<Record<string, number>>;
      readonly instances: Readonly<Record<string, string>>;
      readonly rollbackBelow: number | null;
      readonly why: string;
    }
  | ({ readonly kind: "begun"; readonly term: number; readonly parameters: number } & Begun)
  /** The term goes on with other teachers. */
  | {
      readonly kind: "teachers";
      readonly term: number;
      readonly teachers: readonly string[];
      /** Of the teachers. */
      readonly instances: Readonly<Record<string, string>>;
      readonly parts?: Readonly<Record<string, number>>;
    }
  /** Too few are left of the term's members: they do nothing until another term opens. */
  | { readonly kind: "paused"; readonly term: number }
  | {
      readonly kind: "finished";
      readonly stage: Stage;
      readonly parameters: number;
      readonly weightsSha256: string;
      /** Of each example: uint16, uint16 and float32, little-endian, base64. */
      readonly predictions: string;
      readonly labels: string;
      readonly confidences: string;
      readonly crossEntropy: number;
      readonly ledger: LedgerTotals;
      readonly softTargets: SoftTargetTotals;
      readonly skippedSteps: number;
      readonly wallSeconds: number;
      readonly samplesPerSecond: number;
    }
  | ({ readonly kind: "exported"; readonly stage: Stage; readonly atMs: number } & Exported)
  | { readonly kind: "diagnosed"; readonly findings: readonly Finding[] }
  /** Of the copy in the depot: what came after it is lost, and so are the members. Terms go on above this one. */
  | { readonly kind: "recovered"; readonly atMs: number; readonly term: number }
  /** What came of it: who leads next may yet have to write it down, in a folder that has nothing of the job. */
  | { readonly kind: "ended"; readonly report: Report };
