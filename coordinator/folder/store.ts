/**
 * The store on a folder: who holds the lock of leader.lock leads. leader.json says who that is, and the number of leaders
 * that there were; journals/ and events/ have a file of lines for each name.
 */
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { LimbeckError } from "../../core/errors.ts";
import type { ProgressEvent } from "../../core/events.ts";
import { makeFolder, writeTextWhole, writing } from "../../proto/files.ts";
import { type ProcessLock, tryLock } from "../../proto/processlock.ts";
import type { EventStore, Journal, LeaderIdentity, Leadership, LeadOptions, Store } from "../store.ts";
import { openJournalFile } from "./journal.ts";
import { openLineFile } from "./linefile.ts";

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
  let ended = "";
  void lock.lost.then((why) => {
    ended ||= why;
  });
  const holds = () => ended === "" && lock.holds();
  const held = async () => {
    while (!holds()) {
      if (ended !== "")
        throw new LimbeckError("stale_term", `this coordinator leads no more (fence ${fence}): ${ended}`);
      await Promise.race([lock.lost, sleep(pollMs)]);
    }
  };
  return {
    fence,
    holds,
    held,
    lost: lock.lost,
    journal: async <R>(name: string) => {
      await held();
      return whileHeld(await openJournalFile<R>(pathOf(folder, "journals", name)), held);
    },
    events: async (job) => await openEvents(pathOf(folder, "events", job)),
    async forget(job) {
      await held();
      for (const kind of ["journals", "events"] as const) await rm(pathOf(folder, kind, job), { force: true });
    },
    async resign() {
      ended ||= "it was given up";
      await lock.release();
    },
  };
}

function pathOf(folder: string, kind: "journals" | "events", name: string): string {
  return join(folder, kind, `${encodeURIComponent(name)}.jsonl`);
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

async function openEvents(path: string): Promise<EventStore> {
  const file = await openLineFile(path, { parse: eventOf, onDamage: "pass-over" });
  return {
    events: file.lines,
    append: (event) => file.append(JSON.stringify(event)),
    async close() {
      try {
        await file.sync();
      } finally {
        await file.close();
      }
    },
  };
}

function eventOf(line: string): ProgressEvent | null {
  try {
    return JSON.parse(line) as ProgressEvent;
  } catch {
    return null;
  }
}
