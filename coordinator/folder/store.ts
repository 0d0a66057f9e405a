/**
 * The store on a folder: who holds the lock of leader.lock leads. leader.json says who that is, and the number of leaders
 * that there were; journals/ has a file for each name.
 */
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { LimbeckError } from "../../core/errors.ts";
import { makeFolder, writeTextWhole, writing } from "../../proto/files.ts";
import { type ProcessLock, tryLock } from "../../proto/processlock.ts";
import type { Journal, LeaderIdentity, Leadership, LeadOptions, Store } from "../store.ts";
import { holding } from "./holding.ts";
import { openJournalFile } from "./journal.ts";

const pollMs = 250;

export function openFolderStore(folder: string): Store {
  return {
    where: `the folder ${folder}`,
    async lead(own, options) {
      await writing(folder, () => makeFolder(folder));
      const lock = await takeLock(folder, options);
      try {
        const fence = 1 + ((await readLeader(folder))?.fence ?? 0);
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
  return join(folder, "leader.json");
}

/** null where there never was one. */
async function readLeader(folder: string): Promise<FolderLeader | null> {
  const file = leaderFile(folder);
  try {
    const leader = JSON.parse(await readFile(file, "utf8")) as FolderLeader;
    if (Number.isSafeInteger(leader.fence)) return leader;
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
  const { holds, held, giveUp } = holding(lock, `this coordinator leads no more (fence ${fence})`);
  return {
    fence,
    holds,
    held,
    lost: lock.lost,
    journal: async <R>(name: string) => {
      await held();
      return whileHeld(await openJournalFile<R>(journalPath(folder, name)), held);
    },
    // Those of a run lie in its folder already (records.ts).
    events: async () => ({ events: [], append: async () => {}, close: async () => {} }),
    async forget(job) {
      await held();
      await rm(journalPath(folder, job), { force: true });
    },
    resign: giveUp,
  };
}

function journalPath(folder: string, name: string): string {
  return join(folder, "journals", `${encodeURIComponent(name)}.jsonl`);
}

/** Held also when it is written: what a process appends that was stopped meanwhile is nobody's decision. */
function whileHeld<R>(journal: Journal<R>, held: () => Promise<void>): Journal<R> {
  const guarded = async (write: () => Promise<void>) => {
    await held();
    await write();
    await held();
  };
  return {
    ...journal,
    append: (record) => guarded(() => journal.append(record)),
    compact: (records) => guarded(() => journal.compact(records)),
  };
}
