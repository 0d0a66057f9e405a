/** One process at a time does what several want done; the others wait, and are told for whom. */
import { setTimeout } from "node:timers/promises";
import { LimbeckError } from "../../core/errors.ts";
import { type Clock, tryLock } from "../../proto/processlock.ts";

export interface LockOptions {
  log(line: string): void;
  readonly signal?: AbortSignal;
  /** What the holder does, for the one who waits: "sets up the engine". */
  readonly doing: string;
  /** Instead of the process's own. */
  readonly now?: Clock;
}

const pollMs = 200;
const deadlineMs = 30 * 60_000;

/**
 * Runs `work` while no other process holds the lock. That of a holder that died is taken over.
 * @throws timeout when another has held it for half an hour
 */
export async function withLock<T>(file: string, options: LockOptions, work: () => Promise<T>): Promise<T> {
  const deadline = Date.now() + deadlineMs;
  for (let told = false; ; told = true) {
    const lock = await tryLock(file, options.now);
    if ("release" in lock) {
      try {
        return await work();
      } finally {
        await lock.release();
      }
    }
    if (Date.now() > deadline) throw new LimbeckError("timeout", `another process has held ${file} for half an hour`);
    if (!told) options.log(`waiting for process ${lock.pid || "of another run"}, which ${options.doing}`);
    await setTimeout(pollMs, undefined, options).catch(() => options.signal?.throwIfAborted());
  }
}
