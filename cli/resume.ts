/** A folder that holds an earlier part of a run: whether this job may go on in it, and where it stands. */
import { join } from "node:path";
import { LimbeckError } from "../core/errors.ts";
import { eventsIn } from "../core/eventline.ts";
import type { ProgressEvent } from "../core/events.ts";
import type { Job } from "../core/job.ts";
import { jobDifferences } from "../core/jobdigest.ts";
import { parseJob } from "../core/jobfile.ts";
import { parseJson } from "../core/nesting.ts";
import type { Report } from "../core/report.ts";
import { readFileWithin } from "../proto/files.ts";

export interface EarlierPart {
  /** Of a job that is finished; else null. */
  readonly report: Report | null;
  /** Fields that differ and may; one line each. */
  readonly changed: readonly string[];
  /** Events so far. */
  readonly events: number;
  /** Where it stands, in words. */
  readonly stands: string;
}

/**
 * null where the folder holds no job yet.
 * @param file the job file given now, for messages
 * @throws LimbeckError `usage` where the two jobs would have different results, with the fields that differ; `corrupt`
 * where what the folder holds cannot be read
 */
export async function earlierPart(folder: string, job: Job, file: string): Promise<EarlierPart | null> {
  const kept = join(folder, "job.yaml");
  const text = await textOf(kept);
  if (text === null) return null;
  const { harmful, harmless } = jobDifferences(keptJob(text, kept), job, { was: `in ${kept}`, now: `in ${file}` });
  if (harmful.length > 0) {
    const message = `${folder} holds a run of another job, whose result would be neither's: go on with its job, or choose another folder`;
    throw new LimbeckError("usage", [message, ...harmful].join("\n  "));
  }
  // Those that are whole: openRecords keeps the same.
  const events = eventsIn((await textOf(join(folder, "events.jsonl"))) ?? "");
  return {
    report: reportOf(await textOf(join(folder, "report.json")), folder),
    changed: harmless,
    events: events.length,
    stands: placeOf(events),
  };
}

/** One sentence for a run that is over. */
export function finishedNote(folder: string): string {
  return `the job in ${folder} is finished; nothing is left to do`;
}

function keptJob(text: string, file: string): Job {
  try {
    return parseJob(text, file);
  } catch (cause) {
    const why = (cause as Error).message;
    throw new LimbeckError("corrupt", `${file} is no job, so the run cannot go on: ${why}`, { cause });
  }
}

function reportOf(text: string | null, folder: string): Report | null {
  try {
    return text === null ? null : (parseJson(text) as Report);
  } catch (cause) {
    throw new LimbeckError("corrupt", `${join(folder, "report.json")} cannot be read: move it away`, { cause });
  }
}

function placeOf(events: readonly ProgressEvent[]): string {
  const last = events.findLast((event) => event.kind === "stepped");
  return last ? `${last.stage}, about step ${last.step} of ${last.steps}` : "before its first step";
}

async function textOf(file: string): Promise<string | null> {
  try {
    return String(await readFileWithin(file));
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return null;
    throw new LimbeckError("unavailable", `${file} cannot be read: ${message}`, { cause });
  }
}
