/**
 * The vectors of a worker lie in one shared WebAssembly memory: the kernels work on them, both threads see them, and
 * TensorFlow reads them, without a copy between. A view is named across threads by its region.
 */
import { LimbeckError } from "../core/errors.ts";
import { bytesText } from "../core/words.ts";

/** Where a view lies in its memory. `length` counts elements of the view's type, `byteOffset` bytes. */
export interface Region {
  readonly byteOffset: number;
  readonly length: number;
}

const pageBytes = 65_536;
/** What 32-bit addresses reach. */
const addressableBytes = 65_536 * pageBytes;
/** The first page is the kernels' own, should their compiler ever place data there; address 0 is never a view's. */
const reservedBytes = pageBytes;
/** A cache line, the widest vector, and the alignment from which TensorFlow uses memory in place. */
const alignmentBytes = 64;

const alignedUp = (bytes: number) => Math.ceil(bytes / alignmentBytes) * alignmentBytes;

/**
 * Hands out views of one shared memory, one after another. What was handed out after a mark is taken back together, to
 * be laid out anew; else it lives and goes as a whole (L8).
 */
export class Arena {
  readonly memory: WebAssembly.Memory;
  #used = reservedBytes;

  private constructor(memory: WebAssembly.Memory) {
    this.memory = memory;
  }

  /**
   * A zeroed arena with room for at least `bytes`, counting each view rounded up to 64 bytes.
   * @param growth "fixed", or "growing" where `reserve` may be called
   * Throws `bad_model` where 32-bit addresses do not reach that far, `unavailable` where the system has no such memory.
   */
  static create(bytes: number, growth: "fixed" | "growing" = "fixed"): Arena {
    const pages = pagesFor(alignedUp(bytes) + reservedBytes);
    const maximum = growth === "fixed" ? pages : addressableBytes / pageBytes;
    return orUnavailable(pages, () => new Arena(new WebAssembly.Memory({ initial: pages, maximum, shared: true })));
  }

  /** What was handed out so far. */
  mark(): number {
    return this.#used;
  }

  /**
   * Takes back what was handed out after the mark and makes room for `bytes` from there. What lies below stays as it is;
   * where the memory grew, its views are of a buffer that the kernels no longer take: make them anew.
   */
  reserve(mark: number, bytes: number): void {
    this.#used = mark;
    const pages = pagesFor(mark + alignedUp(bytes));
    const missing = pages - this.memory.buffer.byteLength / pageBytes;
    if (missing > 0) orUnavailable(pages, () => this.memory.grow(missing));
  }

  floats(length: number): Float32Array<SharedArrayBuffer> {
    return floatsAt(this.memory, this.#take(length, Float32Array.BYTES_PER_ELEMENT));
  }

  ints(length: number): Int32Array<SharedArrayBuffer> {
    return intsAt(this.memory, this.#take(length, Int32Array.BYTES_PER_ELEMENT));
  }

  /** Float16 codes, which JavaScript has no view for on every Node that is supported. */
  halves(length: number): Uint16Array<SharedArrayBuffer> {
    const { byteOffset } = this.#take(length, Uint16Array.BYTES_PER_ELEMENT);
    return new Uint16Array(sharedBufferOf(this.memory), byteOffset, length);
  }

  bytes(length: number): Uint8Array<SharedArrayBuffer> {
    const { byteOffset } = this.#take(length, Uint8Array.BYTES_PER_ELEMENT);
    return new Uint8Array(sharedBufferOf(this.memory), byteOffset, length);
  }

  #take(length: number, elementBytes: number): Region {
    const byteOffset = this.#used;
    const bytes = alignedUp(length * elementBytes);
    const left = this.memory.buffer.byteLength - byteOffset;
    if (!(Number.isInteger(length) && length >= 0 && bytes <= left)) {
      throw new LimbeckError(
        "internal",
        `a view of ${length} elements of ${elementBytes} bytes was asked of an arena with ${left} bytes left`,
      );
    }
    this.#used += bytes;
    return { byteOffset, length };
  }
}

function pagesFor(bytes: number): number {
  if (bytes > addressableBytes) {
    throw new LimbeckError(
      "bad_model",
      `the weights, gradients and batches of this job take ${bytesText(bytes)} in a worker, more than the ${bytesText(addressableBytes)} it can address: a smaller model, lane batch or number of lanes per worker is needed`,
    );
  }
  return Math.ceil(bytes / pageBytes);
}

function orUnavailable<T>(pages: number, allocate: () => T): T {
  try {
    return allocate();
  } catch (cause) {
    throw new LimbeckError(
      "unavailable",
      `the system has no ${bytesText(pages * pageBytes)} of memory for the weights, gradients and batches of a worker`,
      { cause },
    );
  }
}

/** What names the view in the other threads that share its memory. */
export function regionOf({ byteOffset, length }: Region): Region {
  return { byteOffset, length };
}

/** The float32 view of a region, in any thread. */
export function floatsAt(memory: WebAssembly.Memory, { byteOffset, length }: Region): Float32Array<SharedArrayBuffer> {
  return new Float32Array(sharedBufferOf(memory), byteOffset, length);
}

/** The int32 view of a region, in any thread. */
export function intsAt(memory: WebAssembly.Memory, { byteOffset, length }: Region): Int32Array<SharedArrayBuffer> {
  return new Int32Array(sharedBufferOf(memory), byteOffset, length);
}

function sharedBufferOf(memory: WebAssembly.Memory): SharedArrayBuffer {
  // TypeScript's DOM types know the buffer of an unshared memory only.
  return memory.buffer as ArrayBufferLike as SharedArrayBuffer;
}
