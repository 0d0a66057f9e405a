/**
 * The coordinator's journal: what it decided, on disk before it acts on it, so that its next life can go on from there.
 * A line of journal.jsonl is {"crc":…,"record":…}, the CRC-32 that of the record's JSON.
 */
import { hostname } from "node:os";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { LimbeckError } from "../core/errors.ts";
import { makeFolder, writing } from "../proto/files.ts";
import { tryLock } from "../proto/processlock.ts";
import type { JournalRecord } from "./journalrecord.ts";
import { openLineFile } from "./linefile.ts";

export interface Journal {
  /** Those of earlier lives, in order. */
  readonly records: readonly JournalRecord[];
  /** What was cut off of a journal that a crash tore; empty where nothing was. */
  readonly note: string;
  /** On the disk when it resolves. Throws `unavailable` where it cannot be; every later append fails, too. */
  append(record: JournalRecord): Promise<void>;
  /** The next process may have it. */
  close(): Promise<void>;
}

export const journalName = "journal.jsonl";

/**
 * Opens the journal of a folder, both made where they are missing, for this process alone.
 * @throws LimbeckError `unavailable` where another process holds it (named) or it cannot be written, `corrupt` naming a
 * damaged line that is not the last
 */
export async function openJournal(folder: string): Promise<Journal> {
  await writing(folder, () => makeFolder(folder));
  const lockFile = join(folder, "journal.lock");
  const lock = await tryLock(lockFile);
  if (!("release" in lock)) {
    const where = lock.host === hostname() ? "" : ` on ${lock.host}`;
    throw new LimbeckError("unavailable", `process ${lock.pid}${where} holds ${lockFile}: one coordinator at a time`);
  }
  try {
    const file = await openLineFile(join(folder, journalName), { parse: journalRecord, onDamage: "refuse" });
    return {
      records: file.lines,
      note: file.note,
      async append(record) {
        await file.append(journalLine(record));
        await file.sync();
      },
      async close() {
        await file.close();
        await lock.release();
      },
    };
  } catch (thrown) {
    await lock.release();
    throw thrown;
  }
}

export function journalLine(record: JournalRecord): string {
  const json = JSON.stringify(record);
  return `{"crc":"${checksum(json)}","record":${json}}`;
}

/** null for a line that is damaged. */
export function journalRecord(line: string): JournalRecord | null {
  const [, crc, json] = /^\{"crc":"([0-9a-f]{8})","record":(.*)\}$/.exec(line) ?? [];
  return json === undefined || checksum(json) !== crc ? null : (JSON.parse(json) as JournalRecord);
}

function checksum(json: string): string {
  return crc32(json).toString(16).padStart(8, "0");
}
