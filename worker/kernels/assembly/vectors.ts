import { flushed, get, put } from "./lanes";

// @ts-ignore: decorator
@inline
function addLanes(into: usize, from: usize, single: bool): void {
  put(into, flushed(f32x4.add(flushed(get(into, single)), flushed(get(from, single)))), single);
}

// into += from, float32. A sum below the normal range is exact before it is flushed, so flushing after rounding and
// before it are the same here.
export function add(into: usize, from: usize, count: usize): void {
  let i: usize = 0;
  for (; i + 16 <= count; i += 16) {
    const at = i << 2;
    addLanes(into + at, from + at, false);
    addLanes(into + at + 16, from + at + 16, false);
    addLanes(into + at + 32, from + at + 32, false);
    addLanes(into + at + 48, from + at + 48, false);
  }
  for (; i < count; i++) addLanes(into + (i << 2), from + (i << 2), true);
}

export function copy(into: usize, from: usize, count: usize): void {
  memory.copy(into, from, count << 2);
}

export function fill(into: usize, value: f32, count: usize): void {
  const lanes = f32x4.splat(value);
  let i: usize = 0;
  for (; i + 4 <= count; i += 4) put(into + (i << 2), lanes, false);
  for (; i < count; i++) put(into + (i << 2), lanes, true);
}

// @ts-ignore: decorator
@inline
function squares(from: usize): v128 {
  const pair = f64x2.promote_low_f32x4(v128.load64_zero(from));
  return f64x2.mul(pair, pair);
}

// In float64, always in the same order: eight sums by index modulo eight, then the last elements, one by one.
export function sumOfSquares(from: usize, count: usize): f64 {
  let a = f64x2.splat(0);
  let b = f64x2.splat(0);
  let c = f64x2.splat(0);
  let d = f64x2.splat(0);
  let i: usize = 0;
  for (; i + 8 <= count; i += 8) {
    const at = from + (i << 2);
    a = f64x2.add(a, squares(at));
    b = f64x2.add(b, squares(at + 8));
    c = f64x2.add(c, squares(at + 16));
    d = f64x2.add(d, squares(at + 24));
  }
  const pair = f64x2.add(f64x2.add(a, b), f64x2.add(c, d));
  let sum = f64x2.extract_lane(pair, 0) + f64x2.extract_lane(pair, 1);
  for (; i < count; i++) {
    const value = <f64>load<f32>(from + (i << 2));
    sum += value * value;
  }
  return sum;
}

// @ts-ignore: decorator
@inline
function exceptional(lanes: v128): v128 {
  const exponent = i32x4.splat(0x7f800000);
  return i32x4.eq(v128.and(lanes, exponent), exponent);
}

// 1 where no element is infinite or not a number.
export function isFinite(from: usize, count: usize): i32 {
  let i: usize = 0;
  for (; i + 8 <= count; i += 8) {
    const at = from + (i << 2);
    if (v128.any_true(v128.or(exceptional(v128.load(at)), exceptional(v128.load(at + 16))))) return 0;
  }
  for (; i < count; i++) if (v128.any_true(exceptional(v128.load32_zero(from + (i << 2))))) return 0;
  return 1;
}
