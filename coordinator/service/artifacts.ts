/** Where the files of a job lie that others may have: its run folder, or its folder in the depot. */
import { constants } from "node:fs";
import { type FileHandle, open, readdir, readlink, realpath, stat } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { LimbeckError } from "../../core/errors.ts";
import type { Depot, DepotObject } from "../../proto/depot/depot.ts";
import { isKey } from "../../proto/depot/key.ts";
import type { Artifact } from "../../proto/gen/limbeck/v1/Artifact.ts";

export interface Place {
  /** For messages. */
  readonly where: string;
  /** @throws LimbeckError `unavailable` where it cannot be read */
  list(): Promise<Artifact[]>;
  /** null where `list` has none of that path. @throws as `list` */
  open(path: string): Promise<DepotObject | null>;
}

/** Who fetches and does not read holds two of them here. */
const pieceBytes = 1 << 16;
/** Files of the coordinator's own, and what is yet being written. */
const hidden = /(^|\/)(\.|journal\.)/;

export function inFolder(folder: string): Place {
  return {
    where: folder,
    async list() {
      const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch((thrown) => {
        if ((thrown as NodeJS.ErrnoException).code === "ENOENT") return [];
        const message = `${folder} cannot be read: ${(thrown as Error).message}`;
        throw new LimbeckError("unavailable", message, { cause: thrown });
      });
      const found: Artifact[] = [];
      for (const entry of entries) {
        const path = relative(folder, join(entry.parentPath, entry.name)).split(sep).join("/");
        if (!entry.isFile() || hidden.test(path)) continue;
        // A checkpoint may be pruned this moment.
        const size = await stat(join(folder, path)).catch(() => null);
        if (size) found.push({ path, bytes: size.size });
      }
      return found;
    },
    async open(path) {
      if (hidden.test(path) || path.split("/").includes("..")) return null;
      const target = join(folder, path);
      // Opened first and looked at then: who writes there may put a link in its place at any time. A pipe is not waited for.
      const file = await open(target, constants.O_RDONLY | constants.O_NONBLOCK).catch(() => null);
      if (file === null) return null;
      const looked = await Promise.all([file.stat(), realpath(folder), pathOf(file, target)]).catch(() => null);
      const [found, inside, real] = looked ?? [];
      if (found?.isFile() && real!.startsWith(inside + sep))
        return { bytes: found.size, pieces: file.createReadStream({ highWaterMark: pieceBytes }) };
      await file.close();
      return null;
    },
  };
}

/** Where an open file lies, links or not; where the system does not tell that, what its path leads to by now. */
async function pathOf({ fd }: FileHandle, path: string): Promise<string> {
  return await readlink(`/proc/self/fd/${fd}`).catch(() => realpath(path));
}

/** @param opened the job's folder in the depot */
export function inDepot(where: string, opened: () => Promise<Depot>): Place {
  const listed = async (prefix: string) => (await (await opened()).list(prefix)).filter(({ key }) => !hidden.test(key));
  return {
    where,
    list: async () => (await listed("")).map(({ key, bytes }) => ({ path: key, bytes })),
    async open(path) {
      if (!isKey(path)) return null;
      const isThere = (await listed(path)).some(({ key }) => key === path);
      return isThere ? await (await opened()).open(path) : null;
    },
  };
}
