/** Numeric kernels over the vectors of one shared memory, in WebAssembly SIMD. Their results have the same bits on every machine (L1). */
import { readFileSync } from "node:fs";
import { LimbeckError } from "../../core/errors.ts";
import { packagePath } from "../../proto/package.ts";
import type { KernelExports } from "./exports.ts";

/** Every view must be of the kernels' own memory; views given together have one length. Anything else is `internal`. */
export interface Kernels {
  /**
   * into += from, float32, rounded to nearest. Denormals, in or out, count as zeros of their sign: TensorFlow's CPU ops
   * do the same (FTZ, DAZ), so lanes added here and on the device have the same bits (L1).
   */
  add(into: Float32Array, from: Float32Array): void;
  /** Bit for bit; the views may overlap. */
  copy(into: Float32Array, from: Float32Array): void;
  fill(into: Float32Array, value: number): void;
  /** Added up in float64, in an order that depends on the length alone. */
  sumOfSquares(view: Float32Array): number;
  /** To IEEE binary16 codes: to nearest, ties to even, beyond 65504 to infinity; a NaN stays a (quiet) NaN. */
  toFloat16(from: Float32Array, into: Uint16Array): void;
  /** Exact. */
  fromFloat16(from: Uint16Array, into: Float32Array): void;
  /** No element is infinite or NaN. */
  isFinite(view: Float32Array): boolean;
  /** The view's byte address, for the unchecked kernels in `exports`. */
  addressOf(view: Float32Array): number;
  readonly exports: KernelExports;
}

let compiled: WebAssembly.Module | undefined;

/** Instantiates the kernels over a shared memory. They are compiled once per thread. */
export function loadKernels(memory: WebAssembly.Memory): Kernels {
  const exports = instantiate(memory);

  const addressOf = (view: Float32Array | Uint16Array): number => {
    if (view.buffer !== memory.buffer) {
      throw new LimbeckError("internal", `a view of ${view.length} elements is not of the kernels' memory`);
    }
    return view.byteOffset;
  };
  const shared = (one: Float32Array | Uint16Array, other: Float32Array | Uint16Array): number => {
    if (one.length === other.length) return one.length;
    throw new LimbeckError("internal", `views of ${one.length} and ${other.length} elements were given together`);
  };

  return {
    add: (into, from) => exports.add(addressOf(into), addressOf(from), shared(into, from)),
    copy: (into, from) => exports.copy(addressOf(into), addressOf(from), shared(into, from)),
    fill: (into, value) => exports.fill(addressOf(into), value, into.length),
    sumOfSquares: (view) => exports.sumOfSquares(addressOf(view), view.length),
    toFloat16: (from, into) => exports.toFloat16(addressOf(from), addressOf(into), shared(from, into)),
    fromFloat16: (from, into) => exports.fromFloat16(addressOf(from), addressOf(into), shared(from, into)),
    isFinite: (view) => exports.isFinite(addressOf(view), view.length) === 1,
    addressOf,
    exports,
  };
}

/** The unchecked kernels over a memory. */
export function instantiate(memory: WebAssembly.Memory): KernelExports {
  compiled ??= compile();
  return new WebAssembly.Instance(compiled, { env: { memory } }).exports as unknown as KernelExports;
}

function compile(): WebAssembly.Module {
  const path = packagePath("dist/kernels.wasm");
  try {
    return new WebAssembly.Module(readFileSync(path));
  } catch (cause) {
    throw new LimbeckError(
      "engine_unavailable",
      `the kernels in ${path} cannot be loaded; \`npm run build\` makes them`,
      {
        cause,
      },
    );
  }
}
