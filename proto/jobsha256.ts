/** Which job something is of: here, because coordinator and workers ask, and core/ may not hash. */
import { createHash } from "node:crypto";
import type { Job } from "../core/job.ts";
import { resultDeciding } from "../core/jobdigest.ts";

/** sha256 of what decides the result of the job, in hex. */
export function jobSha256(job: Job): string {
  return createHash("sha256")
    .update(JSON.stringify(resultDeciding(job)))
    .digest("hex");
}

/** Of a job under a name: the same for the same job, wherever and whenever it is started. */
export function lastingJobId(job: Job, name: string = job.name): string {
  return `${name}-${jobSha256(job).slice(0, 8)}`;
}
