/** A file of lines that is only ever appended to, and may have been torn by a crash while its last one was written. */
import { type FileHandle, open } from "node:fs/promises";
import { dirname } from "node:path";
import { LimbeckError } from "../../core/errors.ts";
import { makeFolder, readFileWithin, writeTextWhole, writing } from "../../proto/files.ts";

export interface LineFile<T> {
  /** What was in it when it was opened, in order. */
  readonly lines: readonly T[];
  /** What was cut off or passed over; empty where nothing was. */
  readonly note: string;
  /** On its way to the disk when this resolves. After a failure every later append fails the same way. */
  append(line: string): Promise<void>;
  /** All that was appended is on the disk. */
  sync(): Promise<void>;
  /** These instead of all that there were: after a crash either all of the old lines are there, or all of the new. */
  replace(lines: readonly string[]): Promise<void>;
  close(): Promise<void>;
}

export interface LineFormat<T> {
  /** null for a line that is damaged. */
  parse(line: string): T | null;
  /** What to do about a damaged line that has others after it, so that no crash explains it. */
  readonly onDamage: "refuse" | "pass-over";
  /** The file to begin with, where it is not the one that is opened. */
  readonly from?: string;
}

/**
 * Opens the file, made where it is missing, with the folders above it. One that is there is replaced by a copy of what is
 * whole of it: what a process appends that had it open before goes nowhere.
 * @throws LimbeckError `unavailable` where it cannot be read or written, `corrupt` naming a damaged line
 */
export async function openLineFile<T>(path: string, format: LineFormat<T>): Promise<LineFile<T>> {
  return await writing(path, async () => {
    await makeFolder(dirname(path));
    const { from = path } = format;
    const bytes = await bytesOf(from);
    const found = readLines(from, bytes, format);
    await writeTextWhole(path, bytes.subarray(0, found.wholeBytes));
    return appendable(path, await open(path, "a"), found);
  });
}

/** None where there is no such file. */
async function bytesOf(path: string): Promise<Buffer> {
  try {
    return await readFileWithin(path);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === "ENOENT") return Buffer.alloc(0);
    throw thrown;
  }
}

interface Found<T> {
  readonly lines: readonly T[];
  readonly note: string;
  /** Where the last whole line ends. */
  readonly wholeBytes: number;
}

function readLines<T>(path: string, bytes: Buffer, { parse, onDamage }: LineFormat<T>): Found<T> {
  const lines: T[] = [];
  const notes: string[] = [];
  let number = 0;
  for (let start = 0; start < bytes.length; ) {
    number += 1;
    const newline = bytes.indexOf(10, start);
    const end = newline < 0 ? bytes.length : newline;
    const value = newline < 0 ? null : parse(bytes.toString("utf8", start, end));
    const isLast = end + 1 >= bytes.length;
    if (value === null && isLast) {
      notes.push(`the last line of ${path}, line ${number}, was torn and is cut off (${bytes.length - start} bytes)`);
      return { lines, note: notes.join("; "), wholeBytes: start };
    }
    if (value !== null) lines.push(value);
    else if (onDamage === "refuse")
      throw new LimbeckError("corrupt", `${path}:${number} is damaged, and lines follow it`);
    else notes.push(`${path}:${number} is damaged and passed over`);
    start = end + 1;
  }
  return { lines, note: notes.join("; "), wholeBytes: bytes.length };
}

function appendable<T>(path: string, opened: FileHandle, { lines, note }: Found<T>): LineFile<T> {
  let file = opened;
  let failure: unknown = null;
  const guarded = async (work: () => Promise<void>) => {
    if (failure !== null) throw failure;
    try {
      await writing(path, work);
    } catch (thrown) {
      // Half a line may be there now: one after it would be lost with it.
      failure = thrown;
      throw thrown;
    }
  };
  return {
    lines,
    note,
    append: (line) => guarded(() => file.appendFile(`${line}\n`)),
    sync: () => guarded(() => file.datasync()),
    replace: (instead) =>
      guarded(async () => {
        await writeTextWhole(path, instead.map((line) => `${line}\n`).join(""));
        const old = file;
        file = await open(path, "a");
        await old.close();
      }),
    close: () => file.close(),
  };
}
