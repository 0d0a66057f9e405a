/**
 * Deaths of a run's processes: each is told to the user and followed by another life, until it is plain that the job
 * gets nowhere. The coordinator cannot know of a worker that never joins it.
 */
import { setTimeout } from "node:timers/promises";
import { LimbeckError } from "../core/errors.ts";
import type { Child, Ended } from "./children.ts";
import { deathNote, type Supervised } from "./supervisor.ts";

/** Deaths in a row, of one process, while the job takes no step. */
const fruitlessDeaths = 5;

/** For the coordinator to find by itself that a worker is gone, and for one that is gone to be seen as such. */
export const noticeMs = 1_000;

export interface Deaths {
  /** True where another life is to follow. */
  onDeath(name: string, ended: Ended, waitMs: number): boolean;
  /** The job ends early where this worker is over for good before any step was taken. */
  watch(worker: Supervised): void;
  /** The job has taken a step: what died before has not kept it from that. */
  progressed(): void;
  /** Why the job was given up; null where it was not. */
  reason(): LimbeckError | null;
  /** From now on processes may end. */
  end(): void;
}

/**
 * @param note tells the user
 * @param giveUp ends a job that would wait in vain
 */
export function countDeaths(note: (line: string) => void, giveUp: (reason: LimbeckError) => void): Deaths {
  const inARow = new Map<string, number>();
  let reason: LimbeckError | null = null;
  let hasProgressed = false;
  let isOver = false;
  const give = (name: string, { how }: Ended) => {
    reason ??= new LimbeckError("lost_worker", `${name} ${how}`);
    giveUp(reason);
  };
  return {
    onDeath(name, ended, waitMs) {
      if (isOver) return false;
      const count = (inARow.get(name) ?? 0) + 1;
      inARow.set(name, count);
      if (count > fruitlessDeaths) {
        give(name, ended);
        return false;
      }
      note(deathNote(name, ended, waitMs));
      return true;
    },
    async watch({ name, over }) {
      const ended = await over;
      if (isOver || reason) return;
      await setTimeout(noticeMs, undefined, { ref: false });
      if (isOver || reason) return;
      if (ended.exitCode === 0 || hasProgressed) note(`${name} ${ended.how}; the job goes on without it`);
      else give(name, ended);
    },
    progressed() {
      hasProgressed = true;
      inARow.clear();
    },
    reason: () => reason,
    end() {
      isOver = true;
    },
  };
}

/** How a process ended that should have by now; null where it lives. */
export async function endedSoon({ ended }: Child): Promise<Ended | null> {
  return await Promise.race([ended, setTimeout(noticeMs, null, { ref: false })]);
}
