import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Arena } from "../../../worker/arena.ts";
import { loadKernels } from "../../../worker/kernels/kernels.ts";
import { bitsOf, floatsOfBits } from "./bits.ts";

const arena = Arena.create(1 << 20);
const kernels = loadKernels(arena.memory);

const held = (values: ArrayLike<number>): Float32Array => {
  const view = arena.floats(values.length);
  view.set(values);
  return view;
};

const smallestNormal = 2 ** -126;
const flushed = (x: number) => (Math.abs(x) < smallestNormal ? (Object.is(x, -0) || x < 0 ? -0 : 0) : x);
// Two float32 add exactly enough in float64 that rounding twice rounds once.
const addedAs = (a: number, b: number) => flushed(Math.fround(flushed(a) + flushed(b)));

test("add gives the bits of float32 addition with denormals flushed", () => {
  const positive = [
    0,
    2 ** -149,
    2 ** -127,
    2 ** -126 - 2 ** -149,
    smallestNormal,
    1.5 * smallestNormal,
    1e-20,
    0.1,
    1,
    1 + 2 ** -23,
    16_777_216,
    3.4e38,
    Infinity,
  ];
  const special = [...positive, ...positive.map((value) => -value), Number.NaN];
  const pairs = special.flatMap((a) => special.map((b) => [a, b] as const));
  const into = held(pairs.map(([a]) => a));
  const from = held(pairs.map(([, b]) => b));
  kernels.add(into, from);
  const expected = pairs.map(([a, b]) => addedAs(Math.fround(a), Math.fround(b)));
  assert.deepEqual(bitsOf(into), bitsOf(expected));
  assert.deepEqual(bitsOf(from), bitsOf(pairs.map(([, b]) => b)), "what is added stays as it is");
});

test("add: any bits, any length, wherever the views lie", () => {
  const memory = arena.floats(256);
  const bits = fc.integer({ min: 0, max: 0xffffffff });
  const vector = fc.array(fc.tuple(bits, bits), { maxLength: 70 });
  const place = fc.integer({ min: 0, max: 40 });
  fc.assert(
    fc.property(vector, place, place, (pairs, skipped, gap) => {
      const a = floatsOfBits(pairs.map(([one]) => one));
      const b = floatsOfBits(pairs.map(([, other]) => other));
      const guard = 0.5;
      memory.fill(guard);
      const into = memory.subarray(skipped, skipped + a.length);
      const from = memory.subarray(skipped + a.length + gap, skipped + a.length + gap + b.length);
      into.set(a);
      from.set(b);
      kernels.add(into, from);
      assert.deepEqual(bitsOf(into), bitsOf(a.map((value, i) => addedAs(value, b[i]!))));
      const around = [...memory.subarray(0, skipped), ...memory.subarray(skipped + a.length, skipped + a.length + gap)];
      assert.ok(
        around.every((value) => value === guard),
        "nothing outside the view changes",
      );
    }),
  );
});

test("sumOfSquares adds in float64, with the same bits wherever the view lies", () => {
  const values = fc.array(fc.float({ noNaN: true }), { maxLength: 50 });
  const memory = arena.floats(100);
  fc.assert(
    fc.property(values, fc.integer({ min: 1, max: 40 }), (listed, skipped) => {
      const here = memory.subarray(0, listed.length);
      here.set(listed);
      const sum = kernels.sumOfSquares(here);
      const there = memory.subarray(skipped, skipped + listed.length);
      there.set(listed);
      assert.equal(kernels.sumOfSquares(there), sum);
      const expected = listed.reduce((total, value) => total + value * value, 0);
      assert.ok(sum === expected || Math.abs(sum - expected) <= 1e-14 * expected, `${sum} for ${expected}`);
    }),
  );
  assert.equal(kernels.sumOfSquares(held([3e38, 1, 3e38])), 2 * Math.fround(3e38) ** 2 + 1, "beyond float32");
});

test("isFinite finds one infinity or NaN in any place", () => {
  for (let length = 0; length < 30; length++) {
    const view = held(new Float32Array(length).fill(-3.4e38));
    assert.equal(kernels.isFinite(view), true);
    for (let at = 0; at < length; at++) {
      for (const value of [Infinity, -Infinity, Number.NaN]) {
        view[at] = value;
        assert.equal(kernels.isFinite(view), false, `${value} at ${at} of ${length}`);
      }
      view[at] = -0;
    }
  }
});

test("copy and fill change their view, bit for bit, and nothing else", () => {
  const from = held(floatsOfBits([1, 0x7f800001, 0x80000000, 0x3f800000, 0xff800000]));
  const around = held(new Float32Array(7).fill(9));
  kernels.copy(around.subarray(1, 6), from);
  const bits = (view: Float32Array) => Buffer.from(view.buffer, view.byteOffset, view.byteLength).toString("hex");
  assert.equal(bits(around.subarray(1, 6)), bits(from));
  kernels.fill(around.subarray(1, 6), -0.1);
  assert.deepEqual([...around], [9, ...new Array(5).fill(Math.fround(-0.1)), 9]);
  kernels.copy(around.subarray(0, 6), around.subarray(1, 7));
  assert.deepEqual([...around], [...new Array(5).fill(Math.fround(-0.1)), 9, 9]);
});

test("views of another memory, or of different lengths, are refused", () => {
  const view = held([1, 2]);
  assert.throws(() => kernels.add(view, new Float32Array(2)), {
    code: "internal",
    message: /not of the kernels' memory/,
  });
  assert.throws(() => kernels.fill(Arena.create(64).floats(2), 0), { code: "internal" });
  assert.throws(() => kernels.add(view, view.subarray(1)), { code: "internal", message: /2 and 1 elements/ });
  assert.throws(() => kernels.toFloat16(view, arena.halves(3)), { code: "internal" });
});
