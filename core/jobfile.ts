/** Reads and writes job files. */
import { stringify } from "yaml";
import { LimbeckError } from "./errors.ts";
import { type Job, jobSchema } from "./job.ts";
import { jobProblems } from "./jobproblems.ts";
import { readSource } from "./jobsource.ts";

/**
 * A job, checked, with every default filled in.
 * @param text YAML
 * @param file for messages
 * @param overrides `key.path=value`, the value in YAML; they count as if the file said so; `key=` removes the key
 * @throws bad_job with one line per problem, each with its line in the file or the `--set` it came from
 */
export function parseJob(text: string, file: string, overrides: readonly string[] = []): Job {
  const source = readSource(text, file, overrides);
  const result = jobSchema.safeParse(source.input);
  if (result.success) return result.data;
  const told = jobProblems(jobSchema, source.input, result.error.issues).map(({ path, also, message }) => {
    const { origin, line, field } = source.locate([path, ...also]);
    return { line, text: [origin, ...(field ? [field] : []), message].join(": ") };
  });
  told.sort((a, b) => a.line - b.line);
  throw new LimbeckError("bad_job", told.map((problem) => problem.text).join("\n"));
}

/** The job as a file that parses to the same job, every default filled in. @param folder what its relative paths start from */
export function effectiveJobYaml(job: Job, folder: string): string {
  const heading = `# The effective job. Relative paths in it start from ${folder}`;
  return `${heading}\n${stringify(job, { lineWidth: 0, aliasDuplicateObjects: false })}`;
}
