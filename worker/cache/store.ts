/**
 * One store: its records, in the order of views, then examples. For a thread of its own or a command: calls block.
 * There is no lock: whoever writes a record writes the same bytes, whole, and one that was torn is a miss.
 */
import { closeSync, constants, fstatSync, ftruncateSync, openSync, readSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { StoreKey } from "./key.ts";
import { RecordCodec, recordBytes } from "./records.ts";

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

export interface StoreCheck {
  readonly whole: number;
  /** Neither whole nor absent, in the order of the file. */
  readonly damaged: readonly { readonly example: number; readonly view: number }[];
}

/** Records of a check that are read at once. */
const checkBytes = 1 << 20;

export class Store {
  readonly #key: StoreKey;
  readonly #codec: RecordCodec;
  readonly #file: number;
  readonly #record: Buffer;

  /** Opens the records in the store's folder; makes the file, without blocks, where there is none. */
  constructor(folder: string, key: StoreKey) {
    this.#key = key;
    this.#codec = new RecordCodec(key);
    this.#record = Buffer.alloc(this.#codec.bytes);
    this.#file = openSync(join(folder, recordsFile), constants.O_RDWR | constants.O_CREAT, 0o644);
    const bytes = storeBytes(key);
    if (fstatSync(this.#file).size < bytes) ftruncateSync(this.#file, bytes);
  }

  read(examples: Uint32Array, view: number): Found {
    const { classes } = this.#key;
    const logits = new Float32Array(examples.length * classes);
    const missing: number[] = [];
    // Indexed loop: the hot path of a cached step.
    for (let at = 0; at < examples.length; at++) {
      const example = examples[at]!;
      const read = readSync(this.#file, this.#record, 0, this.#codec.bytes, this.#placeOf(example, view));
      if (read === this.#codec.bytes && this.#codec.stateOf(this.#record, example, view) === "whole") {
        this.#codec.read(this.#record, logits.subarray(at * classes, (at + 1) * classes));
      } else missing.push(at);
    }
    return { logits, missing: Uint32Array.from(missing) };
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

  /** Reads every record. */
  check(): StoreCheck {
    const { examples, period } = this.#key;
    const { bytes } = this.#codec;
    const atOnce = Math.max(1, Math.floor(checkBytes / bytes));
    const buffer = Buffer.alloc(atOnce * bytes);
    const damaged: { example: number; view: number }[] = [];
    let whole = 0;
    for (let first = 0; first < examples * period; first += atOnce) {
      const count = Math.min(atOnce, examples * period - first);
      buffer.fill(0);
      readSync(this.#file, buffer, 0, count * bytes, first * bytes);
      for (let at = 0; at < count; at++) {
        const [example, view] = [(first + at) % examples, Math.floor((first + at) / examples)];
        const state = this.#codec.stateOf(buffer.subarray(at * bytes, (at + 1) * bytes), example, view);
        if (state === "whole") whole += 1;
        else if (state === "damaged") damaged.push({ example, view });
      }
    }
    return { whole, damaged };
  }

  close(): void {
    closeSync(this.#file);
  }

  #placeOf(example: number, view: number): number {
    return (view * this.#key.examples + example) * this.#codec.bytes;
  }
}
