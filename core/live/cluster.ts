/** What a coordinator of the service tells an open page: who leads, the jobs, and the workers. Rounded to what is seen. */

export interface ClusterView {
  /** Of the coordinator that was asked. */
  readonly name: string;
  /** `waiting`: it leads, but its store does not answer, so that it decides nothing. */
  readonly standing: "leading" | "waiting" | "standby";
  /** null: nobody. */
  readonly leader: ShownLeader | null;
  /** Empty on one that stands by, and so are the other lists. */
  readonly running: Shown<JobLine>;
  /** In the queue's order, then those that are paused. */
  readonly waiting: Shown<JobLine>;
  /** The newest first. */
  readonly over: Shown<JobLine>;
  readonly workers: Shown<WorkerLine>;
  /** The job that was asked for; null where there is none of that id. */
  readonly asked: JobLine | null;
}

export interface ShownLeader {
  readonly name: string;
  /** host:port where workers join and jobs are submitted. */
  readonly address: string;
  /** host:port of its page. */
  readonly http: string;
}

/** The first of a list. */
export interface Shown<T> {
  readonly lines: readonly T[];
  /** Found in all, those that are not shown, too. */
  readonly found: number;
  readonly all: number;
}

export type JobState = "queued" | "running" | "pausing" | "paused" | "cancelling" | "done" | "failed" | "cancelled";

export interface JobLine {
  readonly id: string;
  readonly state: JobState;
  /** Why it is in this state, what it waits for, or what came of it. */
  readonly why: string;
  readonly priority: number;
  /** Who submitted it; may be empty. */
  readonly by: string;
  /** Unix time in milliseconds: when it came into this state. */
  readonly sinceMs: number;
  readonly progress: JobProgress | null;
  /** On the evaluation split; null of a job that is not done. */
  readonly errors: ModelErrors | null;
}

/** Of a job that runs. */
export interface JobProgress {
  /** Of the whole job, each stage alike, 0 to 1. */
  readonly share: number;
  /** null before the first. */
  readonly stage: string | null;
  readonly step: number;
  readonly steps: number;
  readonly samplesPerSecond: number;
  /** Of the stage; null where it is not known. */
  readonly remainingSeconds: number | null;
  readonly workers: number;
}

export interface ModelErrors {
  readonly teacher: number;
  readonly student: number;
  /** null where there was none. */
  readonly baseline: number | null;
}

export interface WorkerLine {
  readonly worker: string;
  readonly role: string;
  readonly place: "idle" | "working" | "leaving" | "between";
  /** Empty where it is in none. */
  readonly job: string;
  readonly why: string;
}
