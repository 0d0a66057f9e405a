/** IEEE 754 binary16 codes of float32 values, for weights on disk and logits on the wire. */

const largestFinite = 65504;

/** True where every value lies within float16's finite range. */
export function fitsFloat16(values: Float32Array): boolean {
  return values.every((value) => Math.abs(value) <= largestFinite);
}

/**
 * Rounds to nearest, ties to even; beyond the range to infinity. A NaN stays one, its payload cut.
 * @returns one uint16 code per value
 */
export function encodeFloat16(values: Float32Array): Uint16Array {
  const codes = new Uint16Array(values.length);
  const scratch = new Float32Array(1);
  const word = new Uint32Array(scratch.buffer);
  for (let i = 0; i < values.length; i++) {
    scratch[0] = values[i]!;
    const bits = word[0]!;
    const sign = (bits >>> 16) & 0x8000;
    const magnitude = bits & 0x7fffffff;
    codes[i] = sign | encodeMagnitude(magnitude, scratch, word);
  }
  return codes;
}

/** Bits of a non-negative float32 to those of a float16; `scratch` and `word` are one float seen both ways. */
function encodeMagnitude(bits: number, scratch: Float32Array, word: Uint32Array): number {
  if (bits > 0x7f800000) return 0x7e00 | ((bits >>> 13) & 0x3ff);
  // 65520 is halfway to the first value beyond the range; its tie goes to the even side, infinity.
  if (bits >= 0x477ff000) return 0x7c00;
  if (bits < 0x38800000) {
    // Below 2^-14 float16 has steps of 2^-24, as float32 has in [0.5, 1): adding 0.5 makes the adder round.
    word[0] = bits;
    scratch[0] = scratch[0]! + 0.5;
    return word[0]! - 0x3f000000;
  }
  const roundedToEven = bits + 0xfff + ((bits >>> 13) & 1);
  return (roundedToEven - 0x38000000) >>> 13;
}

/** The value of an IEEE 754 binary16 code, exact. */
export function valueOfFloat16(code: number): number {
  const sign = code & 0x8000 ? -1 : 1;
  const exponent = (code >>> 10) & 0x1f;
  const fraction = code & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
