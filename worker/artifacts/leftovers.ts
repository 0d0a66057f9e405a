/** What a writer that was killed leaves beside its target: `.NAME.tmp-HOST-PID-ID` (unfinished), `.NAME.old-…` (moved aside). */
import { randomUUID } from "node:crypto";
import { readdir, rename, rm, stat } from "node:fs/promises";
import { hostname } from "node:os";
import { basename, dirname, join } from "node:path";
import { isAlive } from "../../proto/liveness.ts";

const pattern = /^\.(?<name>.+)\.(?<kind>tmp|old)-(?<host>.+)-(?<pid>\d+)-(?<id>[0-9a-f]{8})$/;
const host = hostname().replaceAll("/", "_");
// Writers of other hosts cannot be asked whether they live.
const foreignAgeMs = 3_600_000;
/** Ids of this process, whose pid a dead process may have had (in a container it is often 1). */
const own = new Set<string>();

/** A hidden path beside `target`, of this process. */
export function leftoverPath(kind: "tmp" | "old", target: string): string {
  const id = randomUUID().slice(0, 8);
  own.add(id);
  return join(dirname(target), `.${basename(target)}.${kind}-${host}-${process.pid}-${id}`);
}

/** Removes what dead writers left in a folder; a folder that was moved aside and never replaced is put back. */
export async function sweepLeftovers(folder: string): Promise<void> {
  const entries = await readdir(folder).catch((): string[] => []);
  for (const entry of entries) {
    const found = pattern.exec(entry)?.groups;
    if (!found) continue;
    const path = join(folder, entry);
    if (await writerIsAlive(path, found["host"]!, Number(found["pid"]), found["id"]!)) continue;
    if (found["kind"] === "old" && !entries.includes(found["name"]!)) {
      // Another sweeper may be first: then there is nothing to put back.
      await rename(path, join(folder, found["name"]!)).catch(() => undefined);
    }
    await rm(path, { recursive: true, force: true });
  }
}

async function writerIsAlive(path: string, writerHost: string, pid: number, id: string): Promise<boolean> {
  if (writerHost !== host) {
    const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: 0 }));
    return Date.now() - mtimeMs < foreignAgeMs;
  }
  if (pid === process.pid) return own.has(id);
  return isAlive(pid);
}
