/** Float32 vectors by their bits, for comparisons that tell -0 from 0 and do not tell one NaN from another. */

export function floatsOfBits(bits: readonly number[]): Float32Array {
  return new Float32Array(Uint32Array.from(bits).buffer);
}

/** The bits, with one pattern for every NaN. */
export function bitsOf(floats: ArrayLike<number>): number[] {
  const copy = Float32Array.from(floats, (value) => (Number.isNaN(value) ? Number.NaN : value));
  return [...new Uint32Array(copy.buffer)];
}
