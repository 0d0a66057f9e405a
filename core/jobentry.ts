/** A service's jobs, as lists have them: what travels in ListReply. */
import { LimbeckError } from "./errors.ts";
import { nearest } from "./jobfields.ts";
import { type EntryState, isOver } from "./jobstate.ts";

/** As the queue has it, and, of one that runs, how far it is. Times are Unix times in milliseconds. */
export interface JobEntry {
  /** Unique in the cluster: `mnist-7f3a`. */
  readonly id: string;
  readonly name: string;
  readonly state: EntryState;
  /** What it waits for; of one that does not wait, why it is in this state. */
  readonly why: string;
  /** Higher is first. */
  readonly priority: number;
  /** Who submitted it. */
  readonly by: string;
  readonly submittedMs: number;
  /** null before its first start. */
  readonly startedMs: number | null;
  /** null while it is not over. */
  readonly endedMs: number | null;
  /** When it came into this state. */
  readonly sinceMs: number;
  /** Names of those it has. */
  readonly workers: readonly string[];
  /** null of a job that does not run, or has not begun a stage. */
  readonly stage: string | null;
  readonly step: number;
  readonly steps: number;
  readonly samplesPerSecond: number;
  /** Of the stage; null where it is not known. */
  readonly remainingSeconds: number | null;
  /** How it ended, in figures; null while it has not, and where there are none. */
  readonly summary: Readonly<Record<string, string | number | boolean | null>> | null;
}

const shown = 5;

/**
 * The job that is meant: an id, the beginning of one, or a name (of several jobs with it the one that is alive, else the
 * last).
 * @throws LimbeckError `usage` where there is none, naming the nearest, or where several are meant
 */
export function jobMeant(jobs: readonly JobEntry[], text: string): JobEntry {
  const exact = jobs.find(({ id }) => id === text);
  if (exact) return exact;
  const named = jobs.filter(({ name }) => name === text);
  const alive = named.filter((job) => !isOver(job.state));
  if (alive.length === 1) return alive[0]!;
  if (named.length > 0 && alive.length === 0) return named.reduce((a, b) => (b.submittedMs >= a.submittedMs ? b : a));
  const begun = alive.length > 0 ? alive : text === "" ? [] : jobs.filter(({ id }) => id.startsWith(text));
  if (begun.length === 1) return begun[0]!;
  if (begun.length > 1)
    throw new LimbeckError("usage", `${text} may be any of ${begun.length} jobs: ${some(begun)}; name one by its id`);
  if (jobs.length === 0) throw new LimbeckError("usage", `there is no job ${text}: the coordinator has none`);
  const near = nearest(text, [...jobs.map(({ id }) => id), ...jobs.map(({ name }) => name)]);
  const hint = near === null ? "limbeck list --all shows which there are" : `did you mean ${near}?`;
  throw new LimbeckError("usage", `there is no job ${text}: ${hint}`);
}

/**
 * The one that is meant where none is named: the only one, or the only one that is not over.
 * @throws LimbeckError `usage` where there is none, or several
 */
export function onlyJob(jobs: readonly JobEntry[]): JobEntry {
  const alive = jobs.filter((job) => !isOver(job.state));
  const candidates = alive.length > 0 ? alive : jobs;
  if (candidates.length === 1) return candidates[0]!;
  if (jobs.length === 0) throw new LimbeckError("usage", "the coordinator has no job yet: limbeck submit JOB.yaml");
  throw new LimbeckError(
    "usage",
    `the coordinator has ${candidates.length} jobs: name one, such as ${some(candidates)}`,
  );
}

function some(jobs: readonly JobEntry[]): string {
  const ids = jobs.slice(0, shown).map(({ id }) => id);
  return jobs.length > shown ? `${ids.join(", ")}, …` : ids.join(", ");
}
