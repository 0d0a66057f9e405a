/** The code that goes with a job to the workers: each `module:` of the job that is a relative path, one self-contained file. */
import { isAbsolute, normalize, resolve } from "node:path";
import { LimbeckError } from "../core/errors.ts";
import type { Job } from "../core/job.ts";
import { modulesOf } from "../core/jobpaths.ts";
import { readFileWithin } from "../proto/files.ts";

export interface Source {
  /** As the job names it. */
  readonly path: string;
  readonly text: string;
}

/** What a service has to keep of a job, in its journal too, is bounded. */
export const longestSource = 256 * 1024;

const otherwise = "or name a file of the workers' own image by its absolute path, which is not sent";

/**
 * An absolute path names a file of the workers' image, and stays where it is.
 * @param folder of the job file
 * @param placeOf where the job says so, for messages: `job.yaml:12`
 * @throws LimbeckError `bad_job` for a file that is missing, too large, elsewhere, or not self-contained
 */
export async function sourcesOf(
  job: Job,
  folder: string,
  placeOf: (field: readonly string[]) => string,
): Promise<Source[]> {
  const sources = new Map<string, Source>();
  for (const { field, path } of modulesOf(job)) {
    if (isAbsolute(path) || sources.has(path)) continue;
    const refuse = (why: string, cause?: unknown) =>
      new LimbeckError("bad_job", `${placeOf(field.split("."))}: ${field}: ${why}`, { cause });
    const inside = normalize(path);
    if (inside === ".." || inside.startsWith("../"))
      throw refuse(`${path} lies outside the job file's folder, and cannot be sent: copy it there, ${otherwise}`);
    let bytes: Buffer;
    try {
      bytes = await readFileWithin(resolve(folder, path));
    } catch (cause) {
      throw refuse(`${path} cannot be read: ${(cause as Error).message}`, cause);
    }
    if (bytes.length > longestSource) {
      const sizes = `${bytes.length} bytes, and at most ${longestSource} are sent with a job`;
      throw refuse(`${path} has ${sizes}: make it smaller, ${otherwise}`);
    }
    const text = bytes.toString("utf8");
    const [needed] = localImports(text);
    if (needed) {
      const found = `${path}:${needed.line} imports ${needed.path}, which would not be there: a module is sent as one file`;
      throw refuse(`${found}. Put both into one (\`npx esbuild --bundle\` does), ${otherwise}`);
    }
    sources.set(path, { path, text });
  }
  return [...sources.values()];
}

const comments = /("(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`)|\/\/[^\n]*|\/\*[\s\S]*?(?:\*\/|$)/g;
// What is of types only is gone before the module runs.
const imports =
  /\b(?:(?:import|export)(?!\s+type\b)[^;'"()]{0,2000}?\bfrom\s*|import\s*|import\s*\(\s*|require\s*\(\s*)(["'`])((?:\.{0,2}\/|\.{1,2}\1|file:)[^"'`\n]*?)\1/g;

/** Files beside it that it imports: by text, for what is overlooked fails at the worker, with its reason. */
export function localImports(text: string): { readonly path: string; readonly line: number }[] {
  const code = text.replace(comments, (found, kept: string | undefined) => kept ?? found.replace(/[^\n]/g, " "));
  return [...code.matchAll(imports)].map((found) => {
    const at = found.index + found[0].length;
    return { path: found[2]!, line: code.slice(0, at).split("\n").length };
  });
}
