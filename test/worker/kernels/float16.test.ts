import assert from "node:assert/strict";
import { test } from "node:test";
import { Arena } from "../../../worker/arena.ts";
import { loadKernels } from "../../../worker/kernels/kernels.ts";
import { bitsOf } from "./bits.ts";

const codeCount = 1 << 16;
const infinity = 0x7c00;
const arena = Arena.create(1 << 21);
const kernels = loadKernels(arena.memory);

const isNaNCode = (code: number) => (code & 0x7fff) > infinity;

/** IEEE 754-2019, section 3.4: 5 bits of exponent, 10 of fraction. */
function numberOf(code: number): number {
  const sign = code & 0x8000 ? -1 : 1;
  const exponent = (code >> 10) & 31;
  const fraction = code & 1023;
  if (exponent === 31) return fraction ? Number.NaN : sign * Infinity;
  return sign * (exponent ? (1 + fraction / 1024) * 2 ** (exponent - 15) : (fraction / 1024) * 2 ** -14);
}

function encoded(values: readonly number[]): number[] {
  const from = arena.floats(values.length);
  const into = arena.halves(values.length);
  from.set(values);
  kernels.toFloat16(from, into);
  return [...into];
}

test("all 65536 codes are decoded exactly and encoded back", () => {
  const codes = arena.halves(codeCount);
  const floats = arena.floats(codeCount);
  for (let code = 0; code < codeCount; code++) codes[code] = code;
  kernels.fromFloat16(codes, floats);
  assert.deepEqual(bitsOf(floats), bitsOf(Array.from({ length: codeCount }, (_, code) => numberOf(code))));
  kernels.toFloat16(floats, codes);
  const quiet = (code: number) => (isNaNCode(code) ? code | 0x200 : code);
  assert.deepEqual(
    [...codes],
    Array.from({ length: codeCount }, (_, code) => quiet(code)),
  );
});

test("between any two neighbours the nearer is taken, and the even one in the middle", () => {
  const middles: number[] = [];
  const expected: number[] = [];
  for (let code = 0; code < infinity; code++) {
    const low = numberOf(code);
    // Past the largest finite value the next place would be 65536.
    const high = code + 1 === infinity ? 65_536 : numberOf(code + 1);
    const middle = (low + high) / 2;
    middles.push(middle * (1 - 2 ** -23), middle, middle * (1 + 2 ** -23));
    expected.push(code, code % 2 === 0 ? code : code + 1, code + 1);
  }
  const signs = [1, -1].map((sign) => encoded(middles.map((value) => sign * value)));
  assert.deepEqual(signs[0], expected);
  assert.deepEqual(
    signs[1],
    expected.map((code) => code | 0x8000),
  );
});

test("what float16 does not reach becomes zero or infinity of its sign; a last element is like any other", () => {
  const values = [0, -0, 1e-45, -1e-40, 1e-8, 2 ** -25, -65_536, 1e38, Infinity, -Infinity, 1.5];
  const codes = [0, 0x8000, 0, 0x8000, 0, 0, 0xfc00, infinity, infinity, 0xfc00, 0x3e00];
  for (let skipped = 0; skipped < values.length; skipped++) {
    assert.deepEqual(encoded(values.slice(skipped)), codes.slice(skipped));
  }
  assert.ok(encoded([Number.NaN, -Number.NaN]).every(isNaNCode));
});
