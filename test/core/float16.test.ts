import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeFloat16, fitsFloat16 } from "../../core/float16.ts";

/** A code's value by the definition of binary16. */
function decode(code: number): number {
  const sign = code & 0x8000 ? -1 : 1;
  const exponent = (code >> 10) & 0x1f;
  const fraction = code & 0x3ff;
  if (exponent === 0x1f) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

test("all 65536 codes come back; NaNs come back as NaNs", () => {
  const codes = Uint16Array.from({ length: 1 << 16 }, (_, code) => code);
  const encoded = encodeFloat16(Float32Array.from(codes, decode));
  for (const code of codes) {
    if (Number.isNaN(decode(code))) assert.ok(Number.isNaN(decode(encoded[code]!)), `NaN ${code}`);
    else assert.equal(encoded[code], code);
  }
});

test("values between two codes go to the nearer one, ties to the even one", () => {
  const largest = 0x7bff;
  for (let code = 0; code < largest; code++) {
    const low = decode(code);
    const high = decode(code + 1);
    const middle = (low + high) / 2;
    const even = code % 2 === 0 ? code : code + 1;
    // A hair of float32 to either side of the tie.
    const hair = middle * 2 ** -22;
    const expected = [code, even, code + 1];
    assert.deepEqual([...encodeFloat16(Float32Array.of(middle - hair, middle, middle + hair))], expected, `${low}`);
  }
});

test("values beyond the range become infinite, tiny ones zero, signs stay", () => {
  const values = Float32Array.of(65504, 65519.99, 65520, 1e30, -65520, 2 ** -25, 2 ** -25 * 1.0001, -0, -1e-40);
  const codes = [0x7bff, 0x7bff, 0x7c00, 0x7c00, 0xfc00, 0, 1, 0x8000, 0x8000];
  assert.deepEqual([...encodeFloat16(values)], codes);
});

test("fitsFloat16 is false for what would become infinite", () => {
  assert.ok(fitsFloat16(Float32Array.of(65504, -65504, 0)));
  assert.ok(!fitsFloat16(Float32Array.of(1, 65520)));
  assert.ok(!fitsFloat16(Float32Array.of(Number.NaN)));
});
