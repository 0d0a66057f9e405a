/** Reads and writes job files. */
import { stringify } from "yaml";
import { type Job, jobSchema } from "./job.ts";
import { jobProblems } from "./jobproblems.ts";
import { badJob, readSource } from "./jobsource.ts";

/** Of a file with very many problems, those whose lines are looked for. */
const mostLocated = 500;

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
  const problems = jobProblems(jobSchema, source.input, result.error.issues).slice(0, mostLocated);
  const told = problems.map(({ path, also, message }) => {
    const { origin, line, field } = source.locate([path, ...also]);
    return { line, text: [origin, ...(field ? [field] : []), message].join(": ") };
  });
  told.sort((a, b) => a.line - b.line);
  throw badJob(told.map((problem) => problem.text));
}

/** The job as a file that parses to the same job, every default filled in. @param folder what its relative paths start from */
export function effectiveJobYaml(job: Job, folder: string): string {
  const heading = `# The effective job. Relative paths in it start from ${folder}`;
  return `${heading}\n${stringify(job, { lineWidth: 0, aliasDuplicateObjects: false })}`;
}
