// Four float32 lanes, or the first alone: a loop's body is written once and serves its vectors and its last elements,
// so an element's bits do not depend on where in a vector it lies.

// @ts-ignore: decorator
@inline
export function get(from: usize, single: bool): v128 {
  return single ? v128.load32_zero(from) : v128.load(from);
}

// @ts-ignore: decorator
@inline
export function put(into: usize, lanes: v128, single: bool): void {
  if (single) v128.store_lane<f32>(into, lanes, 0);
  else v128.store(into, lanes);
}

// Denormals become zeros of their sign, as TensorFlow's CPU ops do (FTZ, DAZ): what the host adds has the same bits as
// what the device would (L1), and values that fade away do not slow the arithmetic down.
// @ts-ignore: decorator
@inline
export function flushed(lanes: v128): v128 {
  const magnitude = v128.and(lanes, i32x4.splat(0x7fffffff));
  const normal = i32x4.gt_s(magnitude, i32x4.splat(0x007fffff));
  return v128.and(lanes, v128.or(normal, i32x4.splat(0x80000000)));
}
