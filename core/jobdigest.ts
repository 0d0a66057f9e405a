/** What of a job decides its result, and how two versions of a job differ: whether one may go on where the other ended. */
import type { Job } from "./job.ts";

/** Paths of what may change between two parts of one run: who computes, and how often what is written or looked at. */
const harmless: ReadonlySet<string> = new Set([
  "workers",
  "checkpoint",
  "verification",
  "doctor",
  "evaluation.everyEpochs",
  "softTargets.inputs",
  "softTargets.aheadBytes",
  "softTargets.onNoTeacher",
  "teacher.remote.timeoutSeconds",
  "teacher.workers",
  "teacher.remote.tls",
  "teacher.remote.headers",
  "softTargets.cache",
]);

/** The job without what does not decide its weights, plain enough for JSON: equal parts give equal bits (L1). */
export function resultDeciding(job: Job): object {
  return without(job, "") as object;
}

export interface JobDifferences {
  /** One line per field: the results would be of neither job. */
  readonly harmful: readonly string[];
  readonly harmless: readonly string[];
}

/** Where the two values of a field stand, for the lines that show them: "4 in a.yaml, 8 in b.yaml". */
export interface JobPlaces {
  readonly was: string;
  readonly now: string;
}

export function jobDifferences(was: Job, now: Job, places: JobPlaces = { was: "before", now: "now" }): JobDifferences {
  const found = { harmful: [] as string[], harmless: [] as string[] };
  for (const { path, before, after } of differences(was, now, "")) {
    const line = `${path}: ${show(before)} ${places.was}, ${show(after)} ${places.now}`;
    (isHarmless(path) ? found.harmless : found.harmful).push(line);
  }
  return found;
}

interface Difference {
  readonly path: string;
  readonly before: unknown;
  readonly after: unknown;
}

/** Of the smallest parts, in the order of the fields. */
function differences(before: unknown, after: unknown, path: string): Difference[] {
  if (!isMapping(before) || !isMapping(after)) return isEqual(before, after) ? [] : [{ path, before, after }];
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...keys].flatMap((key) => differences(before[key], after[key], below(path, key)));
}

function without(value: unknown, path: string): unknown {
  if (!isMapping(value)) return value;
  const kept = Object.entries(value).filter(([key, part]) => part !== undefined && !harmless.has(below(path, key)));
  return Object.fromEntries(kept.map(([key, part]) => [key, without(part, below(path, key))]));
}

function isHarmless(path: string): boolean {
  return [...harmless].some((part) => path === part || path.startsWith(`${part}.`));
}

function below(path: string, key: string): string {
  return path === "" ? key : `${path}.${key}`;
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whatever the order of keys inside lists. */
function isEqual(one: unknown, other: unknown): boolean {
  if (Array.isArray(one) && Array.isArray(other)) {
    return one.length === other.length && one.every((each, at) => differences(each, other[at], "").length === 0);
  }
  return Object.is(one, other);
}

function show(value: unknown): string {
  return value === undefined ? "nothing" : JSON.stringify(value);
}
