/**
 * One store: its records, in the order of views, then examples. For a thread of its own or a command: calls block.
 * There is no lock: whoever writes a record writes the same bytes, whole, and one that was torn is a miss.
 */
import { closeSync, constants, fstatSync, ftruncateSync, openSync, readSync, writeSync } from "node:fs";
import { join } from "node:path";
import { recordBytes } from "../../core/caching.ts";
import { LimbeckError } from "../../core/errors.ts";
import type { StoreKey } from "./key.ts";
import { RecordCodec } from "./records.ts";

export const recordsFile = "records";

/** Of the whole file, whatever of it is filled. */
export function storeBytes(key: StoreKey): number {
  return recordBytes(key) * key.examples * key.period;
}

export interface Found {
  /** [examples, classes]; rows of what was not found are zeros. */
  readonly logits: Float32Array;
  /** Positions in the request of what was not found. */
  readonly missing: Uint32Array;
}

/** A store up to this size is kept in memory as far as it was read: a system call costs several times what a record costs. */
const mirrorBytes = 64 * 2 ** 20;
const pieceBytes = 64 * 2 ** 10;

export class Store {
  readonly #key: StoreKey;
  readonly #codec: RecordCodec;
  readonly #file: number;
  readonly #record: Buffer;
  /** The file as it was when its pieces were read. What is whole in it stays so; what is not may have been written since. */
  readonly #mirror: Uint8Array | null;
  readonly #mirrored: Uint8Array;

  /**
   * Opens the records in the store's folder; makes the file, without blocks, where there is none.
   * @throws LimbeckError `unavailable` where it cannot be opened, or is no file
   */
  constructor(folder: string, key: StoreKey) {
    this.#key = key;
    this.#codec = new RecordCodec(key);
    this.#record = Buffer.alloc(this.#codec.bytes);
    const bytes = storeBytes(key);
    this.#file = openRecords(join(folder, recordsFile), bytes);
    this.#mirror = bytes <= mirrorBytes ? new Uint8Array(bytes) : null;
    this.#mirrored = new Uint8Array(this.#mirror ? Math.ceil(bytes / pieceBytes) : 0);
  }

  read(examples: Uint32Array, view: number): Found {
    const { classes } = this.#key;
    const logits = new Float32Array(examples.length * classes);
    const missing: number[] = [];
    // Indexed loop: the hot path of a cached step.
    for (let at = 0; at < examples.length; at++) {
      const record = this.#whole(examples[at]!, view);
      if (record) this.#codec.read(record, logits.subarray(at * classes, (at + 1) * classes));
      else missing.push(at);
    }
    return { logits, missing: Uint32Array.from(missing) };
  }

  /** The record, until the next call; null where it is absent or damaged. */
  #whole(example: number, view: number): Uint8Array | null {
    const place = this.#placeOf(example, view);
    const { bytes } = this.#codec;
    const mirrored = this.#mirror && this.#mirroredAt(this.#mirror, place);
    if (mirrored && this.#codec.isWhole(mirrored, example, view)) return mirrored;
    const read = readSync(this.#file, this.#record, 0, bytes, place);
    if (read < bytes || !this.#codec.isWhole(this.#record, example, view)) return null;
    mirrored?.set(this.#record);
    return this.#record;
  }

  #mirroredAt(mirror: Uint8Array, place: number): Uint8Array {
    const end = place + this.#codec.bytes;
    for (let piece = Math.floor(place / pieceBytes); piece * pieceBytes < end; piece++) {
      if (this.#mirrored[piece] === 1) continue;
      const first = piece * pieceBytes;
      readSync(this.#file, mirror, first, Math.min(pieceBytes, mirror.length - first), first);
      this.#mirrored[piece] = 1;
    }
    return mirror.subarray(place, end);
  }

  /**
   * @param logits [examples, classes]
   * @returns how many the format cannot hold bit for bit; they were not written
   */
  write(examples: Uint32Array, view: number, logits: Float32Array): number {
    const { classes } = this.#key;
    let refused = 0;
    for (let at = 0; at < examples.length; at++) {
      const example = examples[at]!;
      const row = logits.subarray(at * classes, (at + 1) * classes);
      if (this.#codec.write(this.#record, { example, view, logits: row })) {
        writeSync(this.#file, this.#record, 0, this.#codec.bytes, this.#placeOf(example, view));
      } else refused += 1;
    }
    return refused;
  }

  close(): void {
    closeSync(this.#file);
  }

  #placeOf(example: number, view: number): number {
    return (view * this.#key.examples + example) * this.#codec.bytes;
  }
}

/** At least so long. */
function openRecords(path: string, bytes: number): number {
  let file: number | null = null;
  try {
    file = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o644);
    if (fstatSync(file).size < bytes) ftruncateSync(file, bytes);
    return file;
  } catch (cause) {
    if (file !== null) closeSync(file);
    const { message } = cause as Error;
    throw new LimbeckError("unavailable", `the records in ${path} cannot be opened: ${message}`, { cause });
  }
}
