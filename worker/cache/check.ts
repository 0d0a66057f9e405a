/** Every record of a store, looked at: for people, not for students, who look at each record they use. */
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { join } from "node:path";
import { LimbeckError } from "../../core/errors.ts";
import type { StoreKey } from "./key.ts";
import { RecordCodec } from "./records.ts";
import { recordsFile } from "./store.ts";

export interface StoreCheck {
  readonly whole: number;
  /** Neither whole nor absent, in the order of the file. */
  readonly damaged: readonly { readonly example: number; readonly view: number }[];
}

/** Read at once. */
const pieceBytes = 1 << 20;

/** @throws LimbeckError `unavailable` where the records cannot be read */
export function checkStore(folder: string, key: StoreKey): StoreCheck {
  const path = join(folder, recordsFile);
  let file: number | null = null;
  try {
    file = openSync(path, "r");
    return checkRecords(file, key);
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === "ENOENT") return { whole: 0, damaged: [] }; // Nothing has been written yet.
    throw new LimbeckError("unavailable", `the records in ${path} cannot be read: ${message}`, { cause });
  } finally {
    if (file !== null) closeSync(file);
  }
}

function checkRecords(file: number, key: StoreKey): StoreCheck {
  const { examples, period } = key;
  const codec = new RecordCodec(key);
  const { bytes } = codec;
  const atOnce = Math.max(1, Math.floor(pieceBytes / bytes));
  const piece = Buffer.alloc(atOnce * bytes);
  const damaged: { example: number; view: number }[] = [];
  let whole = 0;
  // What the header says may be far beyond what the file has: there is nothing there.
  const records = Math.min(examples * period, Math.ceil(fstatSync(file).size / bytes));
  for (let first = 0; first < records; first += atOnce) {
    const count = Math.min(atOnce, records - first);
    piece.fill(0);
    readSync(file, piece, 0, count * bytes, first * bytes);
    for (let at = 0; at < count; at++) {
      const [example, view] = [(first + at) % examples, Math.floor((first + at) / examples)];
      const state = codec.stateOf(piece.subarray(at * bytes, (at + 1) * bytes), example, view);
      if (state === "whole") whole += 1;
      else if (state === "damaged") damaged.push({ example, view });
    }
  }
  return { whole, damaged };
}
