/** What the coordinator sends to a page that is open. */
import type { ProgressEvent } from "../events.ts";
import type { SoftTargetTotals } from "../finishedstage.ts";
import type { JobState, WorkerState } from "../shownstates.ts";
import type { HistoryJson } from "./history.ts";

/** How a job stands: of /state what the page shows. */
export interface JobRow {
  readonly job: string;
  readonly state: JobState;
  /** null before the first term. */
  readonly stage: string | null;
  readonly term: number;
  /** Steps of the stage that a student has reported. */
  readonly step: number;
  readonly steps: number;
  readonly waitingFor: readonly string[];
  readonly why: string;
  readonly split: { readonly students: number; readonly teachers: number; readonly why: string } | null;
  /** Of the stage so far; null where it uses none. */
  readonly softTargets: SoftTargetTotals | null;
}

/** How a worker is: rounded, so that it is sent again only when something changed that is seen. */
export interface WorkerRow {
  readonly worker: string;
  readonly role: string;
  readonly state: WorkerState;
  readonly doing: string;
  readonly waitingFor: string;
  readonly step: number;
  readonly mebibytes: number;
  readonly engine: string;
  readonly firstLane: number;
  readonly lanes: number;
  readonly millisecondsPerLane: number | null;
  readonly examplesPerSecond: number | null;
  readonly queuedExamples: number;
  /** Since it was last heard, where that is long. */
  readonly silentSeconds: number;
}

/** Everything; what the page had before is of no use. */
export interface Snapshot {
  readonly history: HistoryJson;
  readonly job: JobRow;
  readonly workers: readonly WorkerRow[];
}

/** What is new. */
export interface Delta {
  /** By number in the job's events; those between them leave nothing in the history. */
  readonly events: readonly (readonly [number, ProgressEvent])[];
  /** The number that comes next. */
  readonly next: number;
  /** null where nothing changed. */
  readonly job: JobRow | null;
  readonly workers: readonly WorkerRow[];
  /** Workers that have no session any more; null where `workers` has all that have one. */
  readonly gone: readonly string[] | null;
}

/** Where a page stands: the run it saw and the number of the event that comes next. */
export function placeText(run: number, next: number): string {
  return `${run}-${next}`;
}

/** null where the text is no place. */
export function placeOf(text: string): { readonly run: number; readonly next: number } | null {
  const [, run, next] = /^(\d+)-(\d+)$/.exec(text) ?? [];
  return run === undefined ? null : { run: Number(run), next: Number(next) };
}
