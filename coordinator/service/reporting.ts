/** What the queue is told of a running job, and what lists show of one. */
import type { JobStatus } from "../status.ts";
import type { Measured, QueuedJob } from "./vocabulary.ts";

export function reportOf({ workers, split, lastStep }: JobStatus): Measured {
  const students = workers.filter(({ role, state }) => role === "student" && state !== "leaving").length;
  const phases = lastStep?.phases;
  const stepSeconds = phases ? Object.values(phases).reduce((sum, seconds) => sum + seconds, 0) : 0;
  return {
    // Roles that the job chooses itself it chooses best; how many workers it could use is the job file's to say.
    most: null,
    students: split?.students ?? students,
    remainingSeconds: lastStep?.etaSeconds ?? null,
    waitedShare: phases && stepSeconds > 0 ? phases.softTargets / stepSeconds : null,
  };
}

/** A job in a list. */
export interface JobEntry {
  readonly id: string;
  readonly name: string;
  readonly state: QueuedJob["phase"]["kind"];
  readonly why: string;
  readonly priority: number;
  readonly by: string;
  /** Unix times in milliseconds; null for what has not been. */
  readonly submittedMs: number;
  readonly startedMs: number | null;
  readonly endedMs: number | null;
  /** Of a job that runs; else null and 0. */
  readonly stage: string | null;
  readonly step: number;
  readonly steps: number;
  readonly samplesPerSecond: number;
  /** Sessions it has. */
  readonly workers: number;
  /** How it ended; null while it has not. */
  readonly summary: Readonly<Record<string, string | number | boolean | null>> | null;
}

/** @param status of a job that runs */
export function entryOf(job: QueuedJob, status: JobStatus | null): JobEntry {
  const { id, name, phase, why, priority, by, submittedMs, startedMs } = job;
  const isOver = "endedMs" in phase;
  return {
    ...{ id, name, state: phase.kind, priority, by, submittedMs, startedMs },
    // A job that runs says best itself what it waits for.
    why: status && status.why !== "" ? status.why : why,
    endedMs: isOver ? phase.endedMs : null,
    summary: isOver ? phase.summary : null,
    stage: status?.stage ?? null,
    step: status?.step ?? 0,
    steps: status?.steps ?? 0,
    samplesPerSecond: status?.lastStep?.samplesPerSecond ?? 0,
    workers: status?.workers.length ?? 0,
  };
}
