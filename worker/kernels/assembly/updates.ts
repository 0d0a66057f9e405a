// Updates of the weights in place. `sum` is the gradient summed over the examples and `scale` turns it into what the
// update uses: 1/examples, times the clipping factor. Every float written is flushed (lanes.ts).
import { flushed, get, put } from "./lanes";

// The gradient with its L2 term.
// @ts-ignore: decorator
@inline
function gradient(weights: v128, sum: usize, scale: v128, decay: v128, single: bool): v128 {
  return f32x4.add(f32x4.mul(get(sum, single), scale), f32x4.mul(weights, decay));
}

// @ts-ignore: decorator
@inline
function sgdLanes(weights: usize, sum: usize, scale: v128, decay: v128, rate: v128, single: bool): void {
  const w = get(weights, single);
  const g = gradient(w, sum, scale, decay, single);
  put(weights, flushed(f32x4.sub(w, f32x4.mul(rate, g))), single);
}

// g = scale·sum + decay·w; w -= rate·g
export function sgd(weights: usize, sum: usize, count: usize, scale: f32, decay: f32, rate: f32): void {
  const s = f32x4.splat(scale);
  const d = f32x4.splat(decay);
  const r = f32x4.splat(rate);
  let i: usize = 0;
  for (; i + 4 <= count; i += 4) sgdLanes(weights + (i << 2), sum + (i << 2), s, d, r, false);
  for (; i < count; i++) sgdLanes(weights + (i << 2), sum + (i << 2), s, d, r, true);
}

// @ts-ignore: decorator
@inline
function momentumLanes(
  weights: usize, sum: usize, velocity: usize,
  scale: v128, decay: v128, rate: v128, keep: v128, ahead: v128, single: bool,
): void {
  const w = get(weights, single);
  const g = gradient(w, sum, scale, decay, single);
  const v = flushed(f32x4.add(f32x4.mul(keep, get(velocity, single)), g));
  const direction = v128.bitselect(f32x4.add(g, f32x4.mul(keep, v)), v, ahead);
  put(velocity, v, single);
  put(weights, flushed(f32x4.sub(w, f32x4.mul(rate, direction))), single);
}

// v = keep·v + g; w -= rate·v, or rate·(g + keep·v) where nesterov is not 0.
export function momentum(
  weights: usize, sum: usize, velocity: usize, count: usize,
  scale: f32, decay: f32, rate: f32, keep: f32, nesterov: i32,
): void {
  const s = f32x4.splat(scale);
  const d = f32x4.splat(decay);
  const r = f32x4.splat(rate);
  const k = f32x4.splat(keep);
  const ahead = i32x4.splat(nesterov ? -1 : 0);
  let i: usize = 0;
  for (; i + 4 <= count; i += 4) {
    const at = i << 2;
    momentumLanes(weights + at, sum + at, velocity + at, s, d, r, k, ahead, false);
  }
  for (; i < count; i++) {
    const at = i << 2;
    momentumLanes(weights + at, sum + at, velocity + at, s, d, r, k, ahead, true);
  }
}

// @ts-ignore: decorator
@inline
function adamLanes(
  weights: usize, sum: usize, first: usize, second: usize,
  scale: v128, decay: v128, rate: v128, beta1: v128, rest1: v128, beta2: v128, rest2: v128, correction: v128,
  epsilon: v128, shrink: v128, single: bool,
): void {
  const w = get(weights, single);
  const g = gradient(w, sum, scale, decay, single);
  const m = flushed(f32x4.add(f32x4.mul(beta1, get(first, single)), f32x4.mul(rest1, g)));
  const v = flushed(f32x4.add(f32x4.mul(beta2, get(second, single)), f32x4.mul(rest2, f32x4.mul(g, g))));
  const spread = f32x4.add(f32x4.sqrt(f32x4.mul(v, correction)), epsilon);
  const change = f32x4.add(f32x4.div(f32x4.mul(rate, m), spread), f32x4.mul(shrink, w));
  put(first, m, single);
  put(second, v, single);
  put(weights, flushed(f32x4.sub(w, change)), single);
}

// Kingma and Ba 2015, algorithm 1: `rate` is the learning rate over 1 - beta1^t, `correction` is 1 / (1 - beta2^t),
// rest is 1 - beta. `shrink` is the decoupled decay of Loshchilov and Hutter 2019 times the learning rate.
export function adam(
  weights: usize, sum: usize, first: usize, second: usize, count: usize,
  scale: f32, decay: f32, rate: f32, beta1: f32, rest1: f32, beta2: f32, rest2: f32, correction: f32,
  epsilon: f32, shrink: f32,
): void {
  const s = f32x4.splat(scale);
  const d = f32x4.splat(decay);
  const r = f32x4.splat(rate);
  const b1 = f32x4.splat(beta1);
  const r1 = f32x4.splat(rest1);
  const b2 = f32x4.splat(beta2);
  const r2 = f32x4.splat(rest2);
  const c = f32x4.splat(correction);
  const e = f32x4.splat(epsilon);
  const k = f32x4.splat(shrink);
  let i: usize = 0;
  for (; i + 4 <= count; i += 4) {
    const at = i << 2;
    adamLanes(weights + at, sum + at, first + at, second + at, s, d, r, b1, r1, b2, r2, c, e, k, false);
  }
  for (; i < count; i++) {
    const at = i << 2;
    adamLanes(weights + at, sum + at, first + at, second + at, s, d, r, b1, r1, b2, r2, c, e, k, true);
  }
}

// @ts-ignore: decorator
@inline
function averageLanes(weights: usize, sum: usize, keep: v128, scale: v128, single: bool): void {
  const kept = f32x4.mul(keep, get(weights, single));
  put(weights, flushed(f32x4.add(kept, f32x4.mul(scale, get(sum, single)))), single);
}

// w = keep·w + scale·sum
export function average(weights: usize, sum: usize, count: usize, keep: f32, scale: f32): void {
  const k = f32x4.splat(keep);
  const s = f32x4.splat(scale);
  let i: usize = 0;
  for (; i + 4 <= count; i += 4) averageLanes(weights + (i << 2), sum + (i << 2), k, s, false);
  for (; i < count; i++) averageLanes(weights + (i << 2), sum + (i << 2), k, s, true);
}

// @ts-ignore: decorator
@inline
function excess(sums: v128, max: v128): v128 {
  const norm = f64x2.sqrt(sums);
  return v128.bitselect(f64x2.div(max, norm), f64x2.splat(1), f64x2.gt(norm, max));
}

// @ts-ignore: decorator
@inline
function shrinkColumns(weights: usize, rows: usize, stride: usize, max: v128, single: bool): void {
  let low = f64x2.splat(0);
  let high = f64x2.splat(0);
  for (let row: usize = 0, at = weights; row < rows; row++, at += stride) {
    const w = get(at, single);
    const a = f64x2.promote_low_f32x4(w);
    const b = f64x2.promote_low_f32x4(v128.shuffle<f32>(w, w, 2, 3, 2, 3));
    low = f64x2.add(low, f64x2.mul(a, a));
    high = f64x2.add(high, f64x2.mul(b, b));
  }
  if (!v128.any_true(v128.or(f64x2.gt(f64x2.sqrt(low), max), f64x2.gt(f64x2.sqrt(high), max)))) return;
  const factors = v128.shuffle<f32>(
    f32x4.demote_f64x2_zero(excess(low, max)), f32x4.demote_f64x2_zero(excess(high, max)), 0, 1, 4, 5,
  );
  for (let row: usize = 0, at = weights; row < rows; row++, at += stride) {
    put(at, flushed(f32x4.mul(get(at, single), factors)), single);
  }
}

// weights [rows, units]: a column whose L2 norm (float64, summed row by row) is above max is scaled down to it.
export function maxNorm(weights: usize, rows: usize, units: usize, max: f64): void {
  const bound = f64x2.splat(max);
  const stride = units << 2;
  let unit: usize = 0;
  for (; unit + 4 <= units; unit += 4) shrinkColumns(weights + (unit << 2), rows, stride, bound, false);
  for (; unit < units; unit++) shrinkColumns(weights + (unit << 2), rows, stride, bound, true);
}
