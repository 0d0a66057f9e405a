/** The coordinator's vocabulary: what it knows, what can happen, what it does about it. */
import type { Finding } from "../core/doctor/finding.ts";
import type { LimbeckError } from "../core/errors.ts";
import type { DealtLanes, ProgressEvent } from "../core/events.ts";
import type { FinishedStage } from "../core/finishedstage.ts";
import type { Job } from "../core/job.ts";
import type { Prediction } from "../core/plan/prediction.ts";
import type { Report, ReportedEngine } from "../core/report.ts";
import type { Stage, StagePlan } from "../core/stages.ts";
import type { DatasetInfo__Output } from "../proto/gen/limbeck/v1/DatasetInfo.ts";
import type { Heartbeat__Output } from "../proto/gen/limbeck/v1/Heartbeat.ts";
import type { Ready__Output } from "../proto/gen/limbeck/v1/Ready.ts";
import type { SourceFile } from "../proto/gen/limbeck/v1/SourceFile.ts";
import type { ToWorker } from "../proto/gen/limbeck/v1/ToWorker.ts";
import type { Begun, JournalRecord } from "./journalrecord.ts";
import type { Progress, Role, Skipped, WorkerMessage } from "./messages.ts";
import type { Patience } from "./patience.ts";
import type { Split } from "./split.ts";
import type { Tally } from "./tally.ts";

/** What does not change while a job runs. */
export interface Plan {
  readonly job: Job;
  /** Of a service's job, unique in the cluster; empty where the coordinator has but one. */
  readonly id: string;
  /** Files of `module:` code that came with the job. */
  readonly sources: readonly SourceFile[];
  readonly jobFolder: string;
  readonly runFolder: string;
  /** Where checkpoints and models go; where there is none, all share the run folder. */
  readonly depot?: DepotPlace;
  /** Version of Limbeck that workers must have. */
  readonly build: string;
  /** How often workers say that they live. */
  readonly heartbeatMs: number;
  readonly patience: Patience;
  /** How long the job was said to take, where somebody measured; else null. */
  readonly predicted: Prediction | null;
}

export interface DepotPlace {
  /** Of the depot, as workers are told it. */
  readonly url: string;
  /** The job's own in it: the same for the same job, wherever and whenever it is started. */
  readonly folder: string;
}

export interface Prepared {
  readonly engine: ReportedEngine;
  /** null where it is not open: the worker can only be a teacher that is sent its inputs. */
  readonly dataset: DatasetInfo__Output | null;
  /** Why it is not. */
  readonly noDataset: string;
}

/** A worker with a session. */
export interface Worker {
  readonly session: number;
  readonly name: string;
  /** Of this life of the worker. */
  readonly instance: string;
  readonly role: Role;
  /** It takes the role that the coordinator gives it. */
  readonly isAuto: boolean;
  readonly address: string;
  readonly host: string;
  /** host:port of its metrics; empty where it serves none. */
  readonly http: string;
  readonly pid: number;
  readonly heardMs: number;
  readonly status: Heartbeat__Output;
  readonly peakResidentBytes: number;
  /** null until its engine is up and, where it needs one, its dataset open. */
  readonly prepared: Prepared | null;
  /** Stages whose trained weights it has. */
  readonly holds: readonly string[];
  /** The stage whose replica it keeps, or that it has caught up with, and that its lanes may begin from. */
  readonly replicaOf: Stage | null;
  /** The term in which it was told to follow, or to get the teacher ready; 0 where it was not. */
  readonly followsIn: number;
  /** Of the teacher, the part it serves or was told to get ready, by its place in core/teacherparts.ts; null where none. */
  readonly part: number | null;
  /** Set where it asked to go. */
  readonly leaving: string | null;
}

/** Why a worker of this name is not dealt in for a while. */
export interface Bench {
  readonly untilMs: number;
  readonly benchMs: number;
  readonly why: "slow" | "out of reach";
}

export interface Living {
  readonly workers: readonly Worker[];
  /** The current term, 0 before the first (L3). */
  readonly term: number;
  readonly startedMs: number;
  /** Last advance of what is being waited for. */
  readonly sinceMs: number;
  readonly tickedMs: number;
  /** By worker. */
  readonly bench: ReadonlyMap<string, Bench>;
  /** By worker: seconds it takes for a lane, as last measured. */
  readonly laneSeconds: ReadonlyMap<string, number>;
  /** By worker: seconds it takes to serve the soft targets of one example, as last measured. */
  readonly servingSeconds: ReadonlyMap<string, number>;
  /** Into teachers and students, of workers whose role is the coordinator's to choose. */
  readonly split: Split;
}

/** Since the first workers were prepared: what the job is about, and how far it has come. */
export interface Course {
  readonly dataset: DatasetInfo__Output;
  /** By role: equal fingerprints compute equal bits (L1). */
  readonly fingerprints: Readonly<Record<Role, string>>;
  readonly stages: readonly StagePlan[];
  /** The stages before the current one, in order. */
  readonly finished: readonly FinishedStage[];
  /** The current stage. */
  readonly plan: StagePlan;
  /** When the current stage began. */
  readonly openedMs: number;
  /** Its first term has begun. */
  readonly hasBegun: boolean;
  /** Why soft targets must not be cached, as the last teachers found; empty where they may. */
  readonly uncacheable: string;
  /** Findings so far, the newest of each check. */
  readonly doctor: readonly Finding[];
  readonly tally: Tally;
}

interface OnCourse extends Living {
  readonly course: Course;
}

/** In a term: a stage with a deal. */
interface InTerm extends OnCourse {
  /** By lanes; the first student leads: it reports for all, writes checkpoints and models. */
  readonly deal: readonly DealtLanes[];
  /** Names of the teachers that serve in this term; none where the stage has no soft targets. */
  readonly teachers: readonly string[];
  readonly openedMs: number;
  /** All replicas go back to a checkpoint of an earlier step than this, for one that they had was wrong; else null. */
  readonly rollbackBelow: number | null;
}

/** Workers are missing: before the job begins, or a pause. */
export interface Gathering extends Living {
  readonly kind: "gathering";
  /** null before the job has begun. */
  readonly course: Course | null;
  readonly why: string;
  /** Of the term that opens next: as that of the term before, where that had not begun. */
  readonly rollbackBelow: number | null;
}

/** The coordinator was started again: the members of the last term come back to it, or do not. */
export interface Recovering extends OnCourse {
  readonly kind: "recovering";
  readonly deal: readonly DealtLanes[];
  readonly teachers: readonly string[];
  /** Of those of the last term that serve one of several parts of the teacher, the part. */
  readonly parts: Readonly<Record<string, number>>;
  /** Members of the last term, name to instance. */
  readonly expected: ReadonlyMap<string, string>;
  /** How that term began; null where it had not, or is paused. */
  readonly begun: Begun | null;
  readonly openedMs: number;
  readonly rollbackBelow: number | null;
  /** Of the whole model, as that term counted; 0 where it had not begun. */
  readonly parameters: number;
  /** Of a stage that is over, and whose models may not be written; null while it is under way. */
  readonly result: FinishedStage | null;
  readonly isSomeoneBack: boolean;
  /** When the coordinator began; from when the first member was seen to be back, that. */
  readonly recoveredMs: number;
}

export interface Readying extends InTerm {
  readonly kind: "readying";
  /** By worker. */
  readonly ready: ReadonlyMap<string, Ready__Output>;
  readonly suspicions: Suspicions;
}

/** By accused: who does not reach it, and since when. */
export type Suspicions = ReadonlyMap<
  string,
  { readonly sinceMs: number; readonly by: ReadonlySet<string>; readonly why: string }
>;

export interface Running extends InTerm {
  readonly kind: "running";
  readonly parameters: number;
  readonly suspicions: Suspicions;
  /** By step: each replica's weights, until all have reported. */
  readonly digests: ReadonlyMap<number, ReadonlyMap<string, string>>;
  /** Since when another deal would be faster; null where none is. */
  readonly betterDealSinceMs: number | null;
  /** An order to stop waits for a last checkpoint. */
  readonly stopping: (StopOrder & { readonly sinceMs: number }) | null;
}

/** The students agreed on the stage's weights; one of them writes its models. */
export interface Exporting extends InTerm {
  readonly kind: "exporting";
  readonly result: FinishedStage;
  readonly exporter: string;
}

export type Active = Gathering | Recovering | Readying | Running | Exporting;
/** States of a term. */
export type Termed = Readying | Running | Exporting;

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
  | ({ readonly kind: "stopped" } & StopOrder);

export interface StopOrder {
  readonly why: string;
  /** Another process goes on with the job: its workers are to join that. */
  readonly again?: true;
}

/** `session`: a worker's stream, numbered by the shell; a name alone could be claimed by two. */
export type Happening =
  | { readonly kind: "message"; readonly session: number; readonly message: WorkerMessage }
  | { readonly kind: "broken"; readonly session: number; readonly why: string }
  | { readonly kind: "tick" }
  | ({ readonly kind: "stop" } & StopOrder)
  /** The shell could not perform an effect; those that followed it were dropped. */
  | { readonly kind: "trouble"; readonly error: LimbeckError };

export type Event = Happening & { readonly atMs: number };

/**
 * What a worker is that is not, or no more, of the job.
 * - late: the job is over; another may have use for it;
 * - misfit: it does not belong here, for what lies with it;
 * - fenced: it was given up; it may join as new (L3).
 */
export type Refusal = "late" | "misfit" | "fenced";

export type Effect =
  | { readonly kind: "send"; readonly session: number; readonly message: ToWorker }
  | { readonly kind: "refuse"; readonly session: number; readonly as: Refusal; readonly error: LimbeckError }
  /** On disk before any effect that follows it. */
  | { readonly kind: "journal"; readonly record: JournalRecord }
  | { readonly kind: "announce"; readonly event: ProgressEvent }
  /** Figures that are counted but not announced. */
  | { readonly kind: "measure"; readonly progress: Progress; readonly by: { readonly isLead: boolean } }
  | { readonly kind: "quarantine"; readonly worker: string; readonly skipped: Skipped }
  | { readonly kind: "record"; readonly report: Report };

export type Next = readonly [State, ...Effect[]];
