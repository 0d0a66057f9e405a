/** How jobs are called, and which submissions are the same job. */
import { LimbeckError } from "../../core/errors.ts";
import { jobDifferences } from "../../core/jobdigest.ts";
import { isOver } from "../../core/jobstate.ts";
import type { QueuedJob, Submission } from "./vocabulary.ts";

export const [lowestPriority, highestPriority] = [-100, 100];

/** An id is a name with five characters more, and still a label of DNS. */
const longestName = 58;
export const label = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/;

/** The name of a submission, from the name in the job file, which may have dots, underscores and capitals. */
export function labelOf(jobName: string): string {
  const text = jobName
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]+/g, "-")
    .slice(0, longestName);
  return text.replace(/^-+/, "").replace(/-+$/, "") || "job";
}

/** Throws `usage`. */
export function checkSubmission({ name, priority }: Pick<Submission, "name" | "priority">): void {
  if (!label.test(name) || name.length > longestName) {
    const right = `up to ${longestName} small letters, digits and dashes, a letter or digit first and last`;
    throw new LimbeckError("usage", `the name of a job must be ${right}, found ${JSON.stringify(name)}`);
  }
  if (!Number.isInteger(priority) || priority < lowestPriority || priority > highestPriority) {
    const right = `a whole number from ${lowestPriority} to ${highestPriority}`;
    throw new LimbeckError("usage", `the priority of a job must be ${right}, found ${priority}`);
  }
}

/** No two of 65,536 submissions in a row get the same, so that folders of jobs long forgotten are not met again. */
export function idOf(name: string, number: number): string {
  const scattered = ((number % 0x10000) * 0x9e37 + 0x3c6e) & 0xffff; // An odd factor: one to one.
  return `${name}-${scattered.toString(16).padStart(4, "0")}`;
}

type Jobs = ReadonlyMap<string, QueuedJob>;

/** By id; else by name, one that is not over before those that are, the newest of them first. */
export function findJob(jobs: Jobs, idOrName: string): QueuedJob | undefined {
  return jobs.get(idOrName) ?? preferred([...jobs.values()].filter(({ name }) => name === idOrName));
}

/** What is known of a submission's name: the job that it is, or those that it is not. */
export interface Earlier {
  /** Submitted earlier, it lives or is done; or it came of this very request, whose answer was lost. */
  readonly same: QueuedJob | null;
  /** The last of the same name and digest that failed or was cancelled. */
  readonly ended: QueuedJob | null;
}

/** Throws `usage` where another job of that name is not over yet. */
export function earlierSubmission(jobs: Jobs, submission: Submission): Earlier {
  const ofName = [...jobs.values()].filter(({ name }) => name === submission.name);
  const same = ofName.filter(({ digest }) => digest === submission.digest);
  const own = same.find((job) => isOfRequest(job, submission));
  const last = preferred(same);
  if (own || (last && !hasGone(last))) return { same: own ?? last!, ended: null };
  const other = ofName.find(({ phase }) => !isOver(phase.kind));
  if (!other) return { same: null, ended: last ?? null };
  const message = `${other.id} has this name, is ${other.phase.kind}, and is another job (${differences(other, submission)}): give this one another --name`;
  throw new LimbeckError("usage", message);
}

export function isOfRequest({ request }: QueuedJob, asked: Submission): boolean {
  return request !== "" && request === asked.request;
}

/** To submit it again is to want it anew. */
function hasGone({ phase: { kind } }: QueuedJob): boolean {
  return kind === "failed" || kind === "cancelled";
}

function preferred(jobs: readonly QueuedJob[]): QueuedJob | undefined {
  return jobs.findLast(({ phase }) => !isOver(phase.kind)) ?? jobs.at(-1);
}

const mostShown = 3;

function differences(was: QueuedJob, now: Submission): string {
  const { harmful, harmless } = jobDifferences(was.job, now.job, { was: "there", now: "here" });
  const paths = new Set([...was.sources, ...now.sources].map(({ path }) => path));
  const text = ({ sources }: Pick<Submission, "sources">, wanted: string) =>
    sources.find(({ path }) => path === wanted)?.text;
  const sources = [...paths].filter((path) => text(was, path) !== text(now, path)).map((path) => `${path} differs`);
  const all = [...harmful, ...harmless, ...sources];
  if (all.length === 0) return "it has another digest";
  const more = all.length > mostShown ? [`and ${all.length - mostShown} more`] : [];
  return [...all.slice(0, mostShown), ...more].join("; ");
}
