/**
 * The service's vocabulary: what it knows of its jobs and workers, what can happen, what it does about it. Jobs survive
 * by their records; workers come back by themselves and say which job they work in.
 */
import type { LimbeckError } from "../../core/errors.ts";
import type { Job } from "../../core/job.ts";
import type { JobAction } from "../../core/jobstate.ts";

/** The same name and digest are the same job, as long as that has not failed and was not cancelled. */
export interface Submission {
  /** A label, see naming.ts. */
  readonly name: string;
  /** Of the effective job and its sources. */
  readonly digest: string;
  /** -100 to 100, higher is first. */
  readonly priority: number;
  /** Effective, with every default filled in; plain enough for JSON. */
  readonly job: Job;
  /** Files of `module:` code that travel with the job; dropped when it is over. */
  readonly sources: readonly Source[];
  /** Who submitted it, for people to read. */
  readonly by: string;
  /** Of the question by which it came: asked again under this, it is that job, whatever has become of it. May be empty. */
  readonly request: string;
}

export interface Source {
  readonly path: string;
  readonly text: string;
}

export type JobOutcome = "done" | "failed" | "cancelled";

/** How a job ended, in figures for lists: plain enough for JSON. The shell chooses them. */
export type JobSummary = Readonly<Record<string, string | number | boolean | null>>;

/**
 * - queued: waits for workers;
 * - running: started, and has or had its fewest workers;
 * - pausing: told to stop with a last checkpoint; then it is paused, or queued again where it gives way to another;
 * - cancelling: told to stop; then it is cancelled.
 */
export type JobPhase =
  | { readonly kind: "queued" }
  | { readonly kind: "running" }
  | { readonly kind: "pausing"; readonly next: "paused" | "queued" }
  | { readonly kind: "paused" }
  | { readonly kind: "cancelling" }
  | { readonly kind: JobOutcome; readonly endedMs: number; readonly summary: JobSummary | null };

export type PhaseKind = JobPhase["kind"];

export interface QueuedJob extends Submission {
  /** Unique in the cluster for its last 65,536 submissions: `mnist-7f3a`. */
  readonly id: string;
  /** Of the submission, from 1. */
  readonly number: number;
  /** Its turn among those of its priority: the number when it was submitted, a later one when it was resumed. */
  readonly turn: number;
  readonly phase: JobPhase;
  /** Why it is in this phase. */
  readonly why: string;
  readonly submittedMs: number;
  /** When it was first started; null before. From then on the job has records of its own. */
  readonly startedMs: number | null;
  /** When it came into this phase. */
  readonly sinceMs: number;
}

/** As the job's workers say it of themselves. */
export type WorkerRole = "student" | "teacher" | "auto";

/**
 * Where a worker is.
 * - idle: in no job;
 * - working: its messages go to the job;
 * - leaving: still that, and told to go;
 * - between: its job let it go, or is over; it joins again with another session, until when is waited for.
 */
export type Place =
  | { readonly kind: "idle" }
  | { readonly kind: "working"; readonly job: string }
  | { readonly kind: "leaving"; readonly job: string }
  | { readonly kind: "between"; readonly untilMs: number };

/** A worker with a session. */
export interface Seat {
  /** Its stream, numbered by the shell. */
  readonly session: number;
  /** Its name, unique in the cluster. */
  readonly worker: string;
  /** Of this life of the worker. */
  readonly instance: string;
  readonly role: WorkerRole;
  readonly place: Place;
  /** Since when it is there. */
  readonly sinceMs: number;
  /** Why it is there. */
  readonly why: string;
}

/** What a running job last said of itself. */
export interface Measured {
  /** Students and teachers it could use now, at the most; null: as many as the job file says. */
  readonly most: Count | null;
  /** Students it had when this was measured. */
  readonly students: number;
  /** To its end with these students; null where it is not known. */
  readonly remainingSeconds: number | null;
  /** Share of their time that students wait for teachers, 0 to 1; null where it is not known. */
  readonly waitedShare: number | null;
}

export interface Count {
  readonly students: number;
  readonly teachers: number;
}

/** Of a running job; not in the journal. */
export interface Course {
  readonly measured: Measured | null;
  /** Since when it has had fewer workers than it needs; null while it has enough. */
  readonly shortSinceMs: number | null;
  /** When workers were last moved from it or to it, to even things out; null before. */
  readonly movedMs: number | null;
  /** Since when another of its priority has had clearly more than its share; null where none has. */
  readonly uneasySinceMs: number | null;
}

/** A worker's name: the jobs that refused it in this life, and why. */
export interface Refusals {
  readonly instance: string;
  /** By job, in words. */
  readonly jobs: ReadonlyMap<string, string>;
}

export interface State {
  /** By id, in the order of their submission. Finished ones until they are forgotten. */
  readonly jobs: ReadonlyMap<string, QueuedJob>;
  /** Submissions so far. */
  readonly submissions: number;
  /** Turns given so far. */
  readonly turns: number;
  /** By session. */
  readonly seats: ReadonlyMap<number, Seat>;
  /** By id, of running jobs. */
  readonly courses: ReadonlyMap<string, Course>;
  /** By worker. */
  readonly refusals: ReadonlyMap<string, Refusals>;
  /** Until when the workers of running jobs are waited for, after the service was started on its records. */
  readonly settlesMs: number;
}

export type Happening =
  /** This process leads now, and `state` is what the records say. Comes once, before all others. */
  | { readonly kind: "led" }
  /**
   * `call`: of whom to answer, numbered by the shell. The job is valid, and so are its sources. `mostJobs`: that may
   * wait, run or be paused at once.
   */
  | ({ readonly kind: "submitted"; readonly call: number; readonly mostJobs: number } & Submission)
  | {
      readonly kind: "controlled";
      readonly call: number;
      readonly job: string;
      readonly action: JobAction;
      /** Who asked, or why: for people to read; may be empty. */
      readonly why: string;
    }
  /** An earlier session of that name is over with it: whether the name is taken by one that is well, the shell says. */
  | {
      readonly kind: "workerJoined";
      readonly session: number;
      readonly worker: string;
      readonly instance: string;
      readonly role: WorkerRole;
      /** In whose term it says it still works; empty where in none. */
      readonly job: string;
    }
  | { readonly kind: "workerGone"; readonly session: number; readonly why: string }
  /** Its job told it to stop with `again`: it joins again with another session. */
  | { readonly kind: "workerReleased"; readonly session: number }
  /** Its job refused it for what lies with the worker (bad_data, diverged, usage …). Its session may or may not last. */
  | { readonly kind: "workerRefused"; readonly session: number; readonly why: string }
  /**
   * `done` and `failed`: as soon as that is decided and written, also where it could not be started; its workers are still
   * leaving, and one that has left must not be given back to it. `stopped`: its loop is over, and can be started again.
   */
  | {
      readonly kind: "jobEnded";
      readonly job: string;
      readonly outcome: "done" | "failed" | "stopped";
      readonly why: string;
      readonly summary: JobSummary | null;
    }
  | ({ readonly kind: "jobReported"; readonly job: string } & Measured)
  | { readonly kind: "tick" };

/** Unix time in milliseconds. */
export type Event = Happening & { readonly atMs: number };

/** To be performed in order; calls are answered when all the rest is done. `why` is a sentence for log, status and page. */
export type Effect =
  /** Durable before any effect that follows it. */
  | { readonly kind: "journal"; readonly record: ServiceRecord }
  /** The loop of the job begins, on its own records where it has `begun` before. Its workers are given after it. */
  | { readonly kind: "startJob"; readonly job: string; readonly begun: boolean; readonly why: string }
  /** Orderly, with a last checkpoint; its workers are told to join again. `jobEnded` tells when it is over. */
  | { readonly kind: "stopJob"; readonly job: string; readonly why: string }
  /** The session's Hello, and all that follows it, goes to that job. */
  | { readonly kind: "give"; readonly session: number; readonly job: string; readonly why: string }
  /** A `leaving` in the worker's name goes to its job. `workerReleased` tells when it is free. */
  | { readonly kind: "take"; readonly session: number; readonly job: string; readonly why: string }
  /** What it has is of a job that does not go on with it: it is told to join again, without that. It is `between`. */
  | { readonly kind: "sendOn"; readonly session: number; readonly why: string }
  /** It has nothing of any job, and there is none for it now. Again when the reason changes. */
  | { readonly kind: "idle"; readonly session: number; readonly why: string }
  /** `isNew`: a job was submitted by this very call. */
  | {
      readonly kind: "answer";
      readonly call: number;
      readonly job: string;
      readonly phase: PhaseKind;
      readonly isNew: boolean;
      readonly why: string;
    }
  | { readonly kind: "refuse"; readonly call: number; readonly error: LimbeckError }
  /**
   * It is over, and its journal is emptied: what came of it is told elsewhere, and nobody goes on with it. The shell does
   * so for those that were over when it began to lead, too.
   */
  | { readonly kind: "retire"; readonly job: string }
  /** Journal and events of the job are deleted; its files are not. Its record follows. */
  | { readonly kind: "forget"; readonly job: string; readonly why: string };

export type Next = readonly [State, ...Effect[]];

/** What the service's journal keeps. */
export type ServiceRecord =
  /** Of a snapshot, the first: how many submissions and turns there were, also of jobs that are forgotten. */
  | { readonly kind: "counted"; readonly submissions: number; readonly turns: number }
  | ({ readonly kind: "submitted"; readonly id: string; readonly number: number; readonly atMs: number } & Submission)
  /** `turn`: a new one, where it was resumed. */
  | {
      readonly kind: "changed";
      readonly job: string;
      readonly phase: JobPhase;
      readonly why: string;
      readonly atMs: number;
      readonly turn?: number;
    }
  /** Of a snapshot: a job as it is. */
  | { readonly kind: "kept"; readonly job: QueuedJob }
  | { readonly kind: "forgotten"; readonly job: string };
