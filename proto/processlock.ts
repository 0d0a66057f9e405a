/** A lock between processes: a file that names its holder, who touches it for as long as it works. */
import { readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { LimbeckError } from "../core/errors.ts";
import { excerpt } from "../core/words.ts";
import { writing } from "./files.ts";
import { isAlive, startOf } from "./liveness.ts";

export interface ProcessLock {
  /**
   * No other process can have it now. False for a process that was stopped until it has looked again: on a shared disk
   * it counted as dead.
   */
  holds(): boolean;
  /** Resolves once another has it. */
  readonly lost: Promise<string>;
  release(): Promise<void>;
}

/** Who has the lock, as the file says. */
export interface LockHolder {
  readonly host: string;
  readonly pid: string;
}

const touchMs = 2_000;
/** Of another machine, or of one that does not tell when a process began, nothing else can be known. */
const silentMs = 30_000;
/** Clocks of machines go differently, and what was touched is seen elsewhere a little later. */
const sureMs = 20_000;
const attempts = 5;

/**
 * Takes the lock, or says who holds it; that of a process that died is taken over.
 * @throws LimbeckError `unavailable` where the file cannot be written, or changes hands too often
 */
export async function tryLock(file: string): Promise<ProcessLock | LockHolder> {
  const own = [hostname(), process.pid, startOf(process.pid)].join(" ");
  for (let attempt = 0; attempt < attempts; attempt++) {
    if (await isMade(file, own)) return hold(file, own);
    const holder = await readFile(file, "utf8").catch(() => null);
    if (holder === null) continue; // Released this moment.
    const [host = "", pid = ""] = holder.split(" ");
    if (!(await isDead(file, holder))) return { host: excerpt(host), pid: excerpt(pid, 20) };
    await takeAway(file, holder);
  }
  throw new LimbeckError("unavailable", `${file} changes hands too often: others want it, too`);
}

function hold(file: string, own: string): ProcessLock {
  let touchedMs = performance.now();
  let isLost = false;
  let lose: (why: string) => void;
  const lost = new Promise<string>((resolve) => {
    lose = resolve;
  });
  const touch = async () => {
    const beganMs = performance.now();
    const holder = await readFile(file, "utf8").catch(({ code }: NodeJS.ErrnoException) =>
      code === "ENOENT" ? "" : null,
    );
    if (holder === null) return; // The disk is away: what cannot be read says nothing.
    if (holder === own) {
      await utimes(file, new Date(), new Date());
      touchedMs = beganMs;
    } else {
      isLost = true;
      clearInterval(touching);
      lose(holder === "" ? `${file} was removed` : `${file} is another process's now`);
    }
  };
  const touching = setInterval(() => void touch().catch(() => undefined), touchMs);
  touching.unref();
  return {
    holds: () => !isLost && performance.now() - touchedMs < sureMs,
    lost,
    async release() {
      clearInterval(touching);
      if (!isLost) await rm(file, { force: true });
      isLost = true;
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
  if (host === hostname() && !isAlive(Number(pid))) return true;
  // A process that is only stopped touches nothing, and is not dead.
  if (host === hostname() && start) return startOf(Number(pid)) !== start;
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
