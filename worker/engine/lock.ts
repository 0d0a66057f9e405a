/** A lock between processes: a file that names its holder, who touches it for as long as it works. */
import { readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { setTimeout } from "node:timers/promises";
import { LimbeckError } from "../../core/errors.ts";
import { isAlive } from "../../proto/liveness.ts";

export interface LockOptions {
  log(line: string): void;
  readonly signal?: AbortSignal;
  /** What the holder does, for the one who waits: "sets up the engine". */
  readonly doing: string;
}

const pollMs = 200;
const touchMs = 2000;
/** A holder that has not touched its lock for so long is gone: its process id may be another's, or of another machine. */
const silentMs = 30_000;
const deadlineMs = 30 * 60_000;

const ownName = `${hostname()} ${process.pid}`;

/**
 * Runs `work` while no other process holds the lock. That of a holder that died is taken over.
 * @throws timeout when another has held it for half an hour
 */
export async function withLock<T>(file: string, options: LockOptions, work: () => Promise<T>): Promise<T> {
  const deadline = Date.now() + deadlineMs;
  for (let told = false; !(await acquired(file)); ) {
    if (Date.now() > deadline) throw new LimbeckError("timeout", `another process has held ${file} for half an hour`);
    const holder = await readFile(file, "utf8").catch(() => null);
    if (holder !== null && (await isDead(file, holder))) {
      await takeAway(file, holder);
      continue;
    }
    if (!told) options.log(`waiting for process ${holder?.split(" ")[1] ?? "of another run"}, which ${options.doing}`);
    told = true;
    await setTimeout(pollMs, undefined, options).catch(() => options.signal?.throwIfAborted());
  }
  const touching = setInterval(() => void utimes(file, new Date(), new Date()).catch(() => undefined), touchMs);
  try {
    return await work();
  } finally {
    clearInterval(touching);
    await rm(file, { force: true });
  }
}

async function acquired(file: string): Promise<boolean> {
  try {
    await writeFile(file, ownName, { flag: "wx" });
    return true;
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw thrown;
  }
}

async function isDead(file: string, holder: string): Promise<boolean> {
  const [host, pid] = holder.split(" ");
  if (host === hostname() && !isAlive(Number(pid))) return true;
  const touched = await stat(file).catch(() => null);
  return touched !== null && Date.now() - touched.mtimeMs > silentMs;
}

/** Moved aside before it is removed: of two that find it dead, one gets it, and a lock made meanwhile is put back. */
async function takeAway(file: string, holder: string): Promise<void> {
  const aside = `${file}.${process.pid}`;
  const moved = await rename(file, aside).then(
    () => true,
    () => false,
  );
  if (!moved) return;
  if ((await readFile(aside, "utf8")) === holder) await rm(aside, { force: true });
  else await rename(aside, file);
}
