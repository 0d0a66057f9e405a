/** Workers that die while their job runs: told to the coordinator, which cannot know of one that never joined it. */
import { setTimeout } from "node:timers/promises";
import { LimbeckError } from "../core/errors.ts";
import type { Child, Ended } from "./children.ts";

/** For the coordinator to find by itself that a worker is gone, and for one that is gone to be seen as such. */
const noticeMs = 1_000;

export interface Deaths {
  /** The death the job was stopped for; null where there was none. */
  reason(): LimbeckError | null;
  /** From now on workers may end. */
  end(): void;
}

/** @param stop asks for the end of a job that would wait in vain */
export function onDeath(workers: readonly Child[], stop: (why: string) => Promise<void>): Deaths {
  let reason: LimbeckError | null = null;
  let isOver = false;
  const onEnd = async ({ name, ended }: Child) => {
    const { how } = await ended;
    if (isOver) return;
    await setTimeout(noticeMs, undefined, { ref: false });
    if (isOver || reason) return;
    reason = new LimbeckError("lost_worker", `${name} ${how}`);
    await stop(reason.message).catch(() => {}); // A coordinator that does not answer is found by who watches it.
  };
  for (const worker of workers) void onEnd(worker);
  return {
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
