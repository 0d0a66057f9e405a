/**
 * What kernels.wasm exports (worker/kernels/assembly), by address: byte addresses in the shared memory and counts of
 * elements, neither of them checked. The formulas stand beside the code in updates.ts there.
 */
export interface KernelExports {
  add(into: number, from: number, count: number): void;
  /** Of bytes, after what `previous` is the checksum of; a signed 32-bit number. */
  checksum(at: number, bytes: number, previous: number): number;
  copy(into: number, from: number, count: number): void;
  fill(into: number, value: number, count: number): void;
  sumOfSquares(from: number, count: number): number;
  /** 1 or 0. */
  isFinite(from: number, count: number): number;
  toFloat16(from: number, into: number, count: number): void;
  fromFloat16(from: number, into: number, count: number): void;
  sgd(weights: number, sum: number, count: number, scale: number, decay: number, rate: number): void;
  momentum(
    weights: number,
    sum: number,
    velocity: number,
    count: number,
    scale: number,
    decay: number,
    rate: number,
    keep: number,
    nesterov: number,
  ): void;
  adam(
    weights: number,
    sum: number,
    first: number,
    second: number,
    count: number,
    scale: number,
    decay: number,
    rate: number,
    beta1: number,
    rest1: number,
    beta2: number,
    rest2: number,
    correction: number,
    epsilon: number,
    shrink: number,
  ): void;
  average(weights: number, sum: number, count: number, keep: number, scale: number): void;
  maxNorm(weights: number, rows: number, units: number, max: number): void;
}
