/**
 * Records of one size: checksum, example, view (uint32 each, little-endian), then the logits of this example under this
 * view, as float16 where students get them so, else as float32. The checksum goes over all that follows it, after the
 * store's id, so it is right only in the place and the store the record was made for (L6). 0 says that nothing was
 * written: a hole of a sparse file is an absent record.
 */
import { crc32 } from "node:zlib";
import { recordBytes, recordHeadBytes } from "../../core/caching.ts";
import { instantiate } from "../kernels/kernels.ts";
import { type StoreKey, storeId } from "./key.ts";

const pageBytes = 65536;

export type RecordState = "whole" | "absent" | "damaged";

export class RecordCodec {
  readonly bytes: number;
  readonly #classes: number;
  readonly #seed: number;
  readonly #halves: HalfCodec | null;
  readonly #hole: Buffer;

  constructor(key: StoreKey) {
    this.bytes = recordBytes(key);
    this.#hole = Buffer.alloc(this.bytes);
    this.#classes = key.classes;
    this.#seed = crc32(storeId(key));
    this.#halves = key.format === "float16" ? new HalfCodec(key.classes) : null;
  }

  /** @param record of `bytes` bytes */
  isWhole(record: Uint8Array, example: number, view: number): boolean {
    const words = new DataView(record.buffer, record.byteOffset, recordHeadBytes);
    const isIts = words.getUint32(4, true) === example && words.getUint32(8, true) === view;
    return isIts && words.getUint32(0, true) === this.#checksum(record);
  }

  stateOf(record: Uint8Array, example: number, view: number): RecordState {
    if (this.isWhole(record, example, view)) return "whole";
    return this.#hole.equals(record) ? "absent" : "damaged";
  }

  /** @param record whole; @param into [classes] */
  read(record: Uint8Array, into: Float32Array): void {
    const payload = record.subarray(recordHeadBytes);
    if (this.#halves) this.#halves.decode(payload, into);
    else new Uint8Array(into.buffer, into.byteOffset, into.byteLength).set(payload);
  }

  /**
   * False, and no record, where it would not give these very bits back: values beyond float16's range, or a NaN.
   * @param logits [classes]
   */
  write(record: Uint8Array, { example, view, logits }: { example: number; view: number; logits: Float32Array }) {
    const words = new DataView(record.buffer, record.byteOffset, recordHeadBytes);
    words.setUint32(4, example, true);
    words.setUint32(8, view, true);
    const payload = record.subarray(recordHeadBytes);
    if (this.#halves) {
      if (!this.#halves.encode(logits, payload)) return false;
    } else {
      payload.set(new Uint8Array(logits.buffer, logits.byteOffset, 4 * this.#classes));
    }
    words.setUint32(0, this.#checksum(record), true);
    return true;
  }

  #checksum(record: Uint8Array): number {
    return crc32(record.subarray(4), this.#seed) || 1;
  }
}

/** float16 and back in WebAssembly: a thousand classes take a microsecond. */
class HalfCodec {
  readonly #floats: Float32Array;
  readonly #words: Uint32Array;
  readonly #halves: Uint8Array;
  readonly #kernels: ReturnType<typeof instantiate>;

  constructor(classes: number) {
    const pages = 1 + Math.ceil((6 * classes) / pageBytes); // The first page is the kernels'.
    const memory = new WebAssembly.Memory({ initial: pages, maximum: 65536, shared: true });
    this.#kernels = instantiate(memory);
    this.#floats = new Float32Array(memory.buffer, pageBytes, classes);
    this.#words = new Uint32Array(memory.buffer, pageBytes, classes);
    this.#halves = new Uint8Array(memory.buffer, pageBytes + 4 * classes, 2 * classes);
  }

  decode(halves: Uint8Array, into: Float32Array): void {
    this.#halves.set(halves);
    this.#decode();
    into.set(this.#floats);
  }

  /** False where the values do not come back bit for bit. */
  encode(values: Float32Array, into: Uint8Array): boolean {
    this.#floats.set(values);
    this.#kernels.toFloat16(this.#floats.byteOffset, this.#halves.byteOffset, values.length);
    this.#decode();
    const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
    for (let at = 0; at < bits.length; at++) if (bits[at] !== this.#words[at]) return false;
    into.set(this.#halves);
    return true;
  }

  #decode(): void {
    this.#kernels.fromFloat16(this.#halves.byteOffset, this.#floats.byteOffset, this.#floats.length);
  }
}
