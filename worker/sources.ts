/** Code that came with a job, in a folder of this worker's own: relative paths in the job start from there. */
import { createHash } from "node:crypto";
import { dirname, join, normalize } from "node:path";
import { LimbeckError } from "../core/errors.ts";
import { makeFolder, writeTextWhole, writing } from "../proto/files.ts";
import type { SourceFile__Output } from "../proto/gen/limbeck/v1/SourceFile.ts";
import type { Welcome__Output } from "../proto/gen/limbeck/v1/Welcome.ts";
import { cacheFolder } from "./engine/environment.ts";

/** What relative paths in the job start from, here. */
export function folderOf({ jobFolder, sources }: Pick<Welcome__Output, "jobFolder" | "sources">): string {
  return sources.length === 0 ? jobFolder : sourcesFolder(sources);
}

/** Writes them. Equal code has one folder, whatever the job. @throws LimbeckError `usage` for a path that leaves it */
export async function writeSources(sources: readonly SourceFile__Output[]): Promise<void> {
  const folder = sourcesFolder(sources);
  for (const { path, text } of sources) {
    const target = join(folder, normalize(path));
    if (!target.startsWith(`${folder}/`))
      throw new LimbeckError("usage", `${path} leaves the folder of the job's code`);
    await writing(target, async () => {
      await makeFolder(dirname(target));
      await writeTextWhole(target, text);
    });
  }
}

function sourcesFolder(sources: readonly SourceFile__Output[]): string {
  const digest = createHash("sha256").update(JSON.stringify(sources)).digest("hex");
  return join(cacheFolder(), "modules", digest.slice(0, 16));
}
