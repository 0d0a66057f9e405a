/** What the queue is told of a running job, and what lists show of one. */

import type { JobEntry } from "../../core/jobentry.ts";
import type { JobStatus } from "../status.ts";
import type { ListedJob } from "./listing.ts";
import type { Measured } from "./vocabulary.ts";

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

/** @param status of a job that runs */
export function entryOf(listed: ListedJob, status: JobStatus | undefined): JobEntry {
  const { stage = null, step = 0, steps = 0, why = "", lastStep } = status ?? {};
  // A job that runs says best itself what it waits for.
  return {
    ...listed,
    ...(why !== "" && { why }),
    ...{ stage, step, steps, samplesPerSecond: lastStep?.samplesPerSecond ?? 0 },
  };
}
