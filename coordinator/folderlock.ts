/** One process at a time works in a folder: a file there names it, and is touched for as long as it does. */
import { readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { LimbeckError } from "../core/errors.ts";
import { writing } from "../proto/files.ts";
import { isAlive, startOf } from "../proto/liveness.ts";

export interface FolderLock {
  release(): Promise<void>;
}

const touchMs = 2_000;
/** Of another machine nothing else can be known. */
const silentMs = 30_000;
const attempts = 5;

/**
 * Takes the lock; that of a process that died is taken over.
 * @throws LimbeckError `unavailable` naming the process that holds it
 */
export async function lockFolder(file: string): Promise<FolderLock> {
  const own = [hostname(), process.pid, startOf(process.pid)].join(" ");
  for (let attempt = 0; attempt < attempts; attempt++) {
    if (await isMade(file, own)) return hold(file);
    const holder = await readFile(file, "utf8").catch(() => null);
    if (holder === null) continue; // Released this moment.
    if (!(await isDead(file, holder))) {
      const [host, pid] = holder.split(" ");
      const where = host === hostname() ? "" : ` on ${host}`;
      throw new LimbeckError("unavailable", `process ${pid}${where} holds ${file}: one coordinator at a time`);
    }
    await takeAway(file, holder);
  }
  throw new LimbeckError("unavailable", `${file} changes hands too often: others want it, too`);
}

function hold(file: string): FolderLock {
  const touching = setInterval(() => void utimes(file, new Date(), new Date()).catch(() => undefined), touchMs);
  touching.unref();
  return {
    async release() {
      clearInterval(touching);
      await rm(file, { force: true });
    },
  };
}

function isMade(file: string, own: string): Promise<boolean> {
  return writing(file, async () => {
    try {
      await writeFile(file, own, { flag: "wx" });
      return true;
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code === "EEXIST") return false;
      throw thrown;
    }
  });
}

async function isDead(file: string, holder: string): Promise<boolean> {
  const [host, pid, start] = holder.split(" ");
  if (host === hostname()) return !isAlive(Number(pid)) || startOf(Number(pid)) !== start;
  const touched = await stat(file).catch(() => null);
  return touched !== null && Date.now() - touched.mtimeMs > silentMs;
}

/** Moved aside before it is removed: of two that find it dead, one gets it, and a lock made meanwhile is put back. */
async function takeAway(file: string, holder: string): Promise<void> {
  const aside = `${file}.${process.pid}`;
  const isMoved = await rename(file, aside).then(
    () => true,
    () => false,
  );
  if (!isMoved) return;
  if ((await readFile(aside, "utf8")) === holder) await rm(aside, { force: true });
  else await rename(aside, file);
}
