/**
 * The store on a folder: who holds the lock of leader.lock leads. leader.json says who that is, and the number of leaders
 * that there were; journals/ has a folder for each name.
 */
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { LimbeckError } from "../../core/errors.ts";
import { makeFolder, readFileWithin, writeTextWhole, writing } from "../../proto/files.ts";
import { type ProcessLock, tryLock } from "../../proto/processlock.ts";
import { type LeaderIdentity, type Leadership, type LeadOptions, type Store, serviceJournal } from "../store.ts";
import { forgetFencedJournal, highestFence, openFencedJournal } from "./fencedjournal.ts";
import { holding } from "./holding.ts";

/** Written by each that leads, before anything else. */
export const leaderName = "leader.json";

const pollMs = 250;
const mostLeaderBytes = 1 << 16;

export function openFolderStore(folder: string): Store {
  return {
    where: `the folder ${folder}`,
    async lead(own, options) {
      await writing(folder, () => makeFolder(folder));
      const lock = await takeLock(folder, options);
      try {
        // Who stood still with the lock may have written an older number over a newer one.
        const before = await highestFence(journalFolder(folder, serviceJournal));
        const fence = 1 + Math.max(before, (await readLeader(folder))?.fence ?? 0);
        const { name, address, http } = own;
        // Whole, before anything is done under it: a fence that was used is never used again (L4).
        await writeTextWhole(leaderFile(folder), `${JSON.stringify({ fence, name, address, http })}\n`);
        return leadership(folder, lock, fence);
      } catch (thrown) {
        await lock.release();
        throw thrown;
      }
    },
    trouble: () => "", // Who cannot look into the folder ends.
    async close() {},
  };
}

interface FolderLeader extends LeaderIdentity {
  readonly fence: number;
}

function leaderFile(folder: string): string {
  return join(folder, leaderName);
}

/** null where there never was one. */
async function readLeader(folder: string): Promise<FolderLeader | null> {
  const file = leaderFile(folder);
  try {
    const leader = JSON.parse(String(await readFileWithin(file, mostLeaderBytes))) as FolderLeader;
    // Another one must come after it.
    if (leader.fence >= 0 && Number.isSafeInteger(leader.fence) && Number.isSafeInteger(leader.fence + 1))
      return leader;
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === "ENOENT") return null;
  }
  throw new LimbeckError(
    "corrupt",
    `${file} does not say how many leaders there were: restore it, or give a higher fence`,
  );
}

async function takeLock(folder: string, { standby, signal }: LeadOptions): Promise<ProcessLock> {
  for (let told: number | null | undefined; ; ) {
    signal.throwIfAborted();
    const lock = await tryLock(join(folder, "leader.lock"));
    if ("release" in lock) return lock;
    const leader = await readLeader(folder);
    const fence = leader?.fence ?? null;
    if (told !== fence) standby(leader && { name: leader.name, address: leader.address, http: leader.http });
    told = fence;
    await sleep(pollMs, undefined, { signal }).catch(() => signal.throwIfAborted());
  }
}

function leadership(folder: string, lock: ProcessLock, fence: number): Leadership {
  const writer = randomUUID();
  const { holds, held, giveUp } = holding(lock, `this coordinator leads no more (fence ${fence})`);
  return {
    fence,
    holds,
    held,
    lost: lock.lost,
    journal: async <R>(name: string) => {
      await held();
      return await openFencedJournal<R>(journalFolder(folder, name), { fence, writer, held });
    },
    // Those of a run lie in its folder already (records.ts).
    events: async () => ({ events: [], append: async () => {}, close: async () => {} }),
    async forget(job) {
      await held();
      await forgetFencedJournal(journalFolder(folder, job), fence);
    },
    resign: giveUp,
  };
}

function journalFolder(folder: string, name: string): string {
  return join(folder, "journals", encodeURIComponent(name));
}
