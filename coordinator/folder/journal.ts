/**
 * A journal in a file: what was decided, on disk before it is acted on, so that the next life can go on from there.
 * A line is {"crc":…,"record":…}, the CRC-32 that of the record's JSON.
 */
import { hostname } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { crc32 } from "node:zlib";
import { LimbeckError } from "../../core/errors.ts";
import { makeFolder, writing } from "../../proto/files.ts";
import { type ProcessLock, silentMs, tryLock } from "../../proto/processlock.ts";
import type { Journal } from "../store.ts";
import { openLineFile } from "./linefile.ts";

export const journalName = "journal.jsonl";

/** Between two looks at whether who has the lock lives. */
const lookMs = 500;

/**
 * Opens the journal of a folder, both made where they are missing, for this process alone. Where another machine's process
 * has it, and may be dead, half a minute is waited to see; `waits` is told (L7).
 * @throws LimbeckError `unavailable` where another process holds it (named) or it cannot be written, `corrupt` naming a
 * damaged line that is not the last
 */
export async function openJournal<R>(folder: string, waits: (why: string) => void = () => {}): Promise<Journal<R>> {
  await writing(folder, () => makeFolder(folder));
  const lock = await takeLock(join(folder, "journal.lock"), waits);
  try {
    const journal = await openJournalFile<R>(join(folder, journalName));
    return {
      ...journal,
      async close() {
        await journal.close();
        await lock.release();
      },
    };
  } catch (thrown) {
    await lock.release();
    throw thrown;
  }
}

async function takeLock(file: string, waits: (why: string) => void): Promise<ProcessLock> {
  for (let isTold = false; ; isTold = true) {
    const lock = await tryLock(file);
    if ("release" in lock) return lock;
    const holder = `process ${lock.pid}${lock.host === hostname() ? "" : ` on ${lock.host}`} holds ${file}`;
    if (lock.life === "lives") throw new LimbeckError("unavailable", `${holder}: one coordinator at a time`);
    if (!isTold) waits(`${holder}, and may have died: taken over when it has not touched it for ${silentMs / 1000} s`);
    await sleep(lookMs);
  }
}

/**
 * The same of a file that is this process's already.
 * @param from the file to begin with, where it is another
 * @throws LimbeckError as `openJournal`
 */
export async function openJournalFile<R>(path: string, from = path): Promise<Journal<R>> {
  const file = await openLineFile<R>(path, { parse: journalRecord, onDamage: "refuse", from });
  return {
    records: file.lines,
    note: file.note,
    async append(record) {
      await file.append(journalLine(record));
      await file.sync();
    },
    compact: (records) => file.replace(records.map(journalLine)),
    close: () => file.close(),
  };
}

export function journalLine(record: unknown): string {
  const json = JSON.stringify(record);
  return `{"crc":"${checksum(json)}","record":${json}}`;
}

/** null for a line that is damaged. */
export function journalRecord<R>(line: string): R | null {
  const [, crc, json] = /^\{"crc":"([0-9a-f]{8})","record":(.*)\}$/.exec(line) ?? [];
  return json === undefined || checksum(json) !== crc ? null : (JSON.parse(json) as R);
}

function checksum(json: string): string {
  return crc32(json).toString(16).padStart(8, "0");
}
