/**
 * A journal in a file: what was decided, on disk before it is acted on, so that the next life can go on from there.
 * A line is {"crc":…,"record":…}, the CRC-32 that of the record's JSON.
 */
import { hostname } from "node:os";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { LimbeckError } from "../../core/errors.ts";
import { makeFolder, writing } from "../../proto/files.ts";
import { tryLock } from "../../proto/processlock.ts";
import type { Journal } from "../store.ts";
import { type Holding, holding } from "./holding.ts";
import { openLineFile } from "./linefile.ts";

export const journalName = "journal.jsonl";

/** With the right to decide what is written into it. */
export type HeldJournal<R> = Journal<R> & Pick<Holding, "holds" | "held">;

/**
 * Opens the journal of a folder, both made where they are missing, for this process alone.
 * @throws LimbeckError `unavailable` where another process holds it (named) or it cannot be written, `corrupt` naming a
 * damaged line that is not the last
 */
export async function openJournal<R>(folder: string): Promise<HeldJournal<R>> {
  await writing(folder, () => makeFolder(folder));
  const lockFile = join(folder, "journal.lock");
  const lock = await tryLock(lockFile);
  if (!("release" in lock)) {
    const where = lock.host === hostname() ? "" : ` on ${lock.host}`;
    throw new LimbeckError("unavailable", `process ${lock.pid}${where} holds ${lockFile}: one coordinator at a time`);
  }
  try {
    const journal = await openJournalFile<R>(join(folder, journalName));
    const { holds, held, giveUp } = holding(lock, `the journal in ${folder} is no longer this process's`);
    return {
      ...journal,
      holds,
      held,
      async close() {
        await journal.close();
        await giveUp();
      },
    };
  } catch (thrown) {
    await lock.release();
    throw thrown;
  }
}

/**
 * The same of a file that is this process's already.
 * @throws LimbeckError as `openJournal`
 */
export async function openJournalFile<R>(path: string): Promise<Journal<R>> {
  const file = await openLineFile<R>(path, { parse: journalRecord, onDamage: "refuse" });
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
