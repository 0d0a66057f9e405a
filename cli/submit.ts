/** `limbeck submit`: gives a job to a service, and shows it to its end, whoever decides meanwhile. */
import { randomUUID } from "node:crypto";
import { hostname, userInfo } from "node:os";
import { dirname, resolve } from "node:path";
import { effectiveJobYaml } from "../core/jobfile.ts";
import { withAbsolutePaths } from "../core/jobpaths.ts";
import { plain } from "../core/plaintext.ts";
import type { Submission, Submitted } from "../proto/jobs.ts";
import { readLocatedJob } from "./coordinator.ts";
import { createDisplay, type OutputFormat } from "./display.ts";
import { followJob } from "./followjob.ts";
import { type Addressed, withJobs } from "./jobclient.ts";
import { lostAnswer } from "./lostanswer.ts";
import { sourcesOf } from "./sources.ts";

export interface SubmitOptions extends Addressed {
  readonly name?: string;
  readonly priority: number;
  readonly set: readonly string[];
  /** Show it to its end. */
  readonly wait: boolean;
  readonly output: OutputFormat;
  readonly quiet?: boolean;
}

const unknown =
  "whether the job was taken is not known. The same command again is safe: a job that waits, runs or is done is not begun twice";

export async function submit(file: string, options: SubmitOptions): Promise<void> {
  const submission = await submissionOf(file, options);
  await withJobs(options, async (jobs, where) => {
    const submitted = await jobs.submit(submission).catch(lostAnswer(unknown));
    const { id } = submitted;
    const display = createDisplay(options);
    tell(submitted, options);
    if (!options.wait) return;
    try {
      await followJob({ id, where, display, again: options.at.again });
    } finally {
      display.close();
    }
  });
}

/** The job, checked, as it means the same to who reads it elsewhere. Throws before anybody is asked. */
async function submissionOf(file: string, { set, name = "", priority }: SubmitOptions): Promise<Submission> {
  const { job, placeOf } = await readLocatedJob(file, set);
  const folder = dirname(resolve(file));
  const sources = await sourcesOf(job, folder, placeOf);
  const absolute = withAbsolutePaths(job, (path) => resolve(folder, path));
  const by = `${userInfo().username}@${hostname()}`;
  return { job: effectiveJobYaml(absolute, folder), name, priority, sources, by, request: randomUUID() };
}

function tell(submitted: Submitted, { output, priority, quiet, wait }: SubmitOptions): void {
  const { id, created, state, why } = submitted;
  if (output === "json") {
    process.stdout.write(`${JSON.stringify({ ...(wait && { kind: "submitted" }), ...submitted })}\n`);
    return;
  }
  if (quiet) return;
  const how = created && priority !== 0 ? `${state}, priority ${priority}` : state;
  process.stdout.write(`${id}: ${how}${why === "" ? "" : `; ${plain(why)}`}\n`);
}
