/** A lock between processes: a file that names its holder, who touches it for as long as it works. */
import { randomUUID } from "node:crypto";
import { readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { LimbeckError } from "../core/errors.ts";
import { excerpt } from "../core/words.ts";
import { writing } from "./files.ts";
import { isAlive, pidNamespace, startOf } from "./liveness.ts";

export interface ProcessLock {
  /**
   * No other process can have it now. False for a process that was stopped until it has looked again: on a shared disk
   * it counted as dead.
   */
  holds(): boolean;
  /** Resolves once another has it. */
  readonly lost: Promise<string>;
  /** One that is another's by now stays. */
  release(): Promise<void>;
}

/** Who has the lock, as the file says. */
export interface LockHolder {
  readonly host: string;
  readonly pid: string;
  /** Whether it lives. `unknown`: it has not touched the lock since this process looks, but for less than `silentMs`. */
  readonly life: "lives" | "unknown";
}

const touchMs = 2_000;
/** Of another machine or container, or where the system does not tell when a process began, nothing else can be known. */
export const silentMs = 30_000;
/** Clocks of machines go differently, and what was touched is seen elsewhere a little later. */
const sureMs = 20_000;
const attempts = 5;

/** The own monotonic clock, in milliseconds. */
export type Clock = () => number;

/**
 * Takes the lock, or says who holds it; that of a process that died is taken over. One of which only its touches can be
 * seen is dead when there was none for `silentMs` of this process's own clock, so it has to be asked again till then.
 * @throws LimbeckError `unavailable` where the file cannot be written, or changes hands too often
 */
export async function tryLock(file: string, now: Clock = () => performance.now()): Promise<ProcessLock | LockHolder> {
  // The last tells one lock of this process from its next.
  const own = [hostname(), process.pid, startOf(process.pid), pidNamespace(), randomUUID()].join(" ");
  for (let attempt = 0; attempt < attempts; attempt++) {
    if (await isMade(file, own)) {
      looks.delete(file);
      return hold(file, own, now);
    }
    const holder = await readFile(file, "utf8").catch(() => null);
    if (holder === null) continue; // Released this moment.
    const [host = "", pid = ""] = holder.split(" ");
    const life = await lifeOf(file, holder, now());
    if (life !== "dead") return { host: excerpt(host), pid: excerpt(pid, 20), life };
    await takeAway(file, holder);
  }
  throw new LimbeckError("unavailable", `${file} changes hands too often: others want it, too`);
}

function hold(file: string, own: string, now: Clock): ProcessLock {
  let touchedMs = now();
  let isLost = false;
  let lose: (why: string) => void;
  const lost = new Promise<string>((resolve) => {
    lose = resolve;
  });
  const touch = async () => {
    const beganMs = now();
    const holder = await readFile(file, "utf8").catch(({ code }: NodeJS.ErrnoException) =>
      code === "ENOENT" ? "" : null,
    );
    if (holder === null || isLost) return; // The disk is away: what cannot be read says nothing.
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
    holds: () => !isLost && now() - touchedMs < sureMs,
    lost,
    async release() {
      clearInterval(touching);
      if (isLost) return;
      isLost = true;
      // Who was stopped for long may not know yet that it was taken over.
      const holder = await readFile(file, "utf8").catch(() => "");
      if (holder === own) await rm(file, { force: true });
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

async function lifeOf(file: string, holder: string, atMs: number): Promise<LockHolder["life"] | "dead"> {
  const [host, pid, start, namespace = pidNamespace()] = holder.split(" ");
  // Elsewhere the same number is another process, or none.
  if (host === hostname() && namespace === pidNamespace()) {
    if (!isAlive(Number(pid))) return "dead";
    // A process that is only stopped touches nothing, and is not dead.
    if (start) return startOf(Number(pid)) === start ? "lives" : "dead";
  }
  return await lifeByTouches(file, holder, atMs);
}

interface Look {
  /** Holder and time of the last touch, by whichever clock. */
  readonly touch: string;
  /** When it was seen first, by the own monotonic clock. */
  readonly sinceMs: number;
  /** Another touch was seen before it. */
  readonly hasMoved: boolean;
}

/** By file, as this process has seen those of others. Wall clocks of two machines are never compared. */
const looks = new Map<string, Look>();

async function lifeByTouches(file: string, holder: string, atMs: number): Promise<LockHolder["life"] | "dead"> {
  const touched = await stat(file).catch(() => null);
  if (touched === null) return "unknown"; // Released this moment.
  const touch = `${holder} ${touched.mtimeMs}`;
  const before = looks.get(file);
  if (before?.touch === touch) {
    if (atMs - before.sinceMs > silentMs) return "dead";
    return before.hasMoved ? "lives" : "unknown";
  }
  looks.set(file, { touch, sinceMs: atMs, hasMoved: before !== undefined });
  return before ? "lives" : "unknown";
}

/** Moved aside before it is removed: of two that find it dead, one gets it, and a lock made meanwhile is put back. */
async function takeAway(file: string, holder: string): Promise<void> {
  const aside = `${file}.${randomUUID()}`;
  const isMoved = await rename(file, aside).then(
    () => true,
    () => false,
  );
  if (!isMoved) return;
  if ((await readFile(aside, "utf8")) === holder) await rm(aside, { force: true });
  else await rename(aside, file);
}
