/** The coordinator's vocabulary: what it knows, what can happen, what it does about it. */
import type { LimbeckError } from "../core/errors.ts";
import type { DealtLanes, ProgressEvent } from "../core/events.ts";
import type { Job } from "../core/job.ts";
import type { Evaluation, FinishedStage, Report, ReportedEngine } from "../core/report.ts";
import type { StagePlan } from "../core/stages.ts";
import type { DatasetInfo__Output } from "../proto/gen/limbeck/v1/DatasetInfo.ts";
import type { Heartbeat__Output } from "../proto/gen/limbeck/v1/Heartbeat.ts";
import type { Ready__Output } from "../proto/gen/limbeck/v1/Ready.ts";
import type { ToWorker } from "../proto/gen/limbeck/v1/ToWorker.ts";
import type { EvaluatedChunk, Progress, Role, StageDone, WorkerMessage } from "./messages.ts";

/** What does not change while a job runs. */
export interface Plan {
  readonly job: Job;
  readonly jobFolder: string;
  readonly runFolder: string;
  /** Version of Limbeck that workers must have. */
  readonly build: string;
  /** How often workers say that they live. */
  readonly heartbeatMs: number;
  readonly patience: Patience;
}

/** L7. How long what may last, in milliseconds. */
export interface Patience {
  /** Silence after which a worker is lost. */
  readonly silenceMs: number;
  /** Without a worker that joins or gets prepared. */
  readonly gatherMs: number;
  /** Without a member that gets ready. */
  readonly readyMs: number;
  /** Without a step, an evaluated chunk or a student that is done. */
  readonly progressMs: number;
  readonly exportMs: number;
  /** Between a worker's complaint that may only follow from another's failure, and its being believed. */
  readonly blameMs: number;
  /** For the workers to leave when the job is over. */
  readonly leaveMs: number;
}

export interface Prepared {
  readonly engine: ReportedEngine;
  readonly dataset: DatasetInfo__Output;
}

/** A worker with a session. */
export interface Worker {
  readonly session: number;
  readonly name: string;
  readonly role: Role;
  readonly address: string;
  readonly host: string;
  readonly pid: number;
  readonly heardMs: number;
  readonly status: Heartbeat__Output;
  readonly peakResidentBytes: number;
  /** null until its engine is up and its dataset open. */
  readonly prepared: Prepared | null;
}

interface Living {
  readonly workers: readonly Worker[];
  /** The current term, 0 before the first (L3). */
  readonly term: number;
  readonly startedMs: number;
  /** Last advance of what is being waited for. */
  readonly sinceMs: number;
  readonly tickedMs: number;
  /**
   * The first failure that may only follow from another worker's: it is held back for `blameMs`, so that the worker
   * that died is named and not the one that noticed.
   */
  readonly complaint: { readonly atMs: number; readonly worker: string; readonly error: LimbeckError } | null;
}

/** Since all workers are prepared. */
interface Settled extends Living {
  readonly dataset: DatasetInfo__Output;
  readonly stages: readonly StagePlan[];
  /** The stages before the current one, in order. */
  readonly finished: readonly FinishedStage[];
}

/** In a term: a stage with a deal. */
interface InTerm extends Settled {
  readonly plan: StagePlan;
  /** By lanes; the first student leads: it reports for all, writes checkpoints and models. */
  readonly deal: readonly DealtLanes[];
  /** Names of the teachers that serve in this term; none where the stage has no soft targets. */
  readonly teachers: readonly string[];
  readonly openedMs: number;
}

export interface Gathering extends Living {
  readonly kind: "gathering";
}

export interface Readying extends InTerm {
  readonly kind: "readying";
  /** By worker. */
  readonly ready: ReadonlyMap<string, Ready__Output>;
}

export interface Running extends InTerm {
  readonly kind: "running";
  readonly parameters: number;
  readonly tally: Tally;
}

/** The students agreed on the stage's weights; the lead writes its models. */
export interface Exporting extends InTerm {
  readonly kind: "exporting";
  readonly result: FinishedStage;
}

export type Active = Gathering | Readying | Running | Exporting;

/** The job is over, its workers are leaving. */
export interface Ending {
  readonly kind: "ending";
  readonly workers: readonly Worker[];
  readonly term: number;
  readonly sinceMs: number;
  readonly outcome: Outcome;
}

export type State = Active | Ending | { readonly kind: "ended"; readonly outcome: Outcome };

export type Outcome =
  | { readonly kind: "done"; readonly report: Report }
  | { readonly kind: "failed"; readonly error: LimbeckError }
  | { readonly kind: "stopped"; readonly why: string };

/** What the students of a running stage have reported so far. */
export interface Tally {
  readonly paces: ReadonlyMap<string, Pace>;
  readonly softTargets: { readonly requested: number; readonly bytes: number };
  /** Evaluations by step, and by whether they end the stage; null once all chunks have come. */
  readonly evaluations: ReadonlyMap<string, ReadonlyMap<number, EvaluatedChunk> | null>;
  /** The evaluation that ends the stage. */
  readonly evaluation: Evaluation | null;
  readonly done: ReadonlyMap<string, StageDone>;
}

/** How fast one student takes its own lanes. */
export interface Pace {
  readonly step: number;
  /** Over its last report. */
  readonly samplesPerSecond: number;
  readonly all: Stretch;
  /** Beyond the warm-up. */
  readonly steady: Stretch;
}

export interface Stretch {
  readonly steps: number;
  readonly examples: number;
  readonly seconds: number;
}

/** `session`: a worker's stream, numbered by the shell; a name alone could be claimed by two. */
export type Happening =
  | { readonly kind: "message"; readonly session: number; readonly message: WorkerMessage }
  | { readonly kind: "broken"; readonly session: number; readonly why: string }
  | { readonly kind: "tick" }
  | { readonly kind: "stop"; readonly why: string }
  /** The shell could not perform an effect; those that followed it were dropped. */
  | { readonly kind: "trouble"; readonly error: LimbeckError };

export type Event = Happening & { readonly atMs: number };

export type Effect =
  | { readonly kind: "send"; readonly session: number; readonly message: ToWorker }
  | { readonly kind: "refuse"; readonly session: number; readonly error: LimbeckError }
  | { readonly kind: "announce"; readonly event: ProgressEvent }
  /** Figures that are counted but not announced. */
  | { readonly kind: "measure"; readonly progress: Progress; readonly byLead: boolean }
  | { readonly kind: "record"; readonly report: Report };

export type Next = readonly [State, ...Effect[]];
