/** What jobs leave behind in their run folders, for who fetches it. */
import { createReadStream } from "node:fs";
import { readdir, realpath, stat } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { LimbeckError } from "../../core/errors.ts";
import type { Artifact } from "../../proto/gen/limbeck/v1/Artifact.ts";

/** Who fetches and does not read holds two of them here. */
const pieceBytes = 1 << 16;
/** Files of the coordinator's own, and what is yet being written. */
const hidden = /(^|\/)(\.|journal\.)/;

/** In the order of their paths; none where the job has not begun. */
export async function artifactsIn(folder: string): Promise<Artifact[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch((thrown) => {
    if ((thrown as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw new LimbeckError("unavailable", `${folder} cannot be read: ${(thrown as Error).message}`, { cause: thrown });
  });
  const found: Artifact[] = [];
  for (const entry of entries) {
    const path = relative(folder, join(entry.parentPath, entry.name)).split(sep).join("/");
    if (!entry.isFile() || hidden.test(path)) continue;
    // A checkpoint may be pruned this moment.
    const size = await stat(join(folder, path)).catch(() => null);
    if (size) found.push({ path, bytes: size.size });
  }
  return found.sort((one, other) => (one.path! < other.path! ? -1 : 1));
}

/**
 * A file's bytes, in pieces.
 * @throws LimbeckError `usage` where the path leaves the folder, or is none of a file that `artifactsIn` lists
 */
export async function readArtifact(folder: string, path: string): Promise<AsyncIterable<Uint8Array>> {
  const missing = new LimbeckError(
    "usage",
    `${JSON.stringify(path)} is no file of this job: limbeck artifacts lists them`,
  );
  if (hidden.test(path) || path.split("/").includes("..")) throw missing;
  const target = join(folder, path);
  const [inside, real] = await Promise.all([realpath(folder), realpath(target)]).catch(() => {
    throw missing;
  });
  if (!real.startsWith(inside + sep) || !(await stat(real)).isFile()) throw missing;
  return createReadStream(real, { highWaterMark: pieceBytes });
}
