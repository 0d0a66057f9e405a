/** A lock as the right to decide: who has it decides, and waits where that is not sure. */
import { setTimeout as sleep } from "node:timers/promises";
import { LimbeckError } from "../../core/errors.ts";
import type { ProcessLock } from "../../proto/processlock.ts";

export interface Holding {
  /** No other process can have it now. */
  holds(): boolean;
  /** Resolves when it holds, at once where it does; rejects with `stale_term` once it is lost or given up. */
  held(): Promise<void>;
  giveUp(): Promise<void>;
}

const pollMs = 250;

/** @param ended what is over then, for the message */
export function holding(lock: ProcessLock, ended: string): Holding {
  let why = "";
  void lock.lost.then((reason) => {
    why ||= reason;
  });
  const holds = () => why === "" && lock.holds();
  return {
    holds,
    async held() {
      while (!holds()) {
        if (why !== "") throw new LimbeckError("stale_term", `${ended}: ${why}`);
        await Promise.race([lock.lost, sleep(pollMs)]);
      }
    },
    async giveUp() {
      why ||= "it was given up";
      await lock.release();
    },
  };
}
