// IEEE 754 binary16, four lanes at a time. Bit tricks after Fabian Giesen, "Float->half variants" (public domain).

// @ts-ignore: decorator
@inline
function halves(lanes: v128): v128 {
  const sign = v128.and(lanes, i32x4.splat(0x80000000));
  const magnitude = v128.xor(lanes, sign);
  // Normal: rebias the exponent by 15 - 127 and round to nearest, ties to even; a carry may reach infinity, rightly.
  const odd = v128.and(i32x4.shr_u(magnitude, 13), i32x4.splat(1));
  const rebias = i32x4.splat(0xc8000fff);
  const normal = i32x4.shr_u(i32x4.add(i32x4.add(magnitude, rebias), odd), 13);
  // Denormal in float16: the float32 adder rounds when the magnitude is added to 0.5, whose last place is 2^-24.
  const half = i32x4.splat(0x3f000000);
  const denormal = i32x4.sub(f32x4.add(magnitude, half), half);
  // From 2^16 on, infinity; a NaN keeps its high payload bits and becomes quiet.
  const payload = v128.and(i32x4.shr_u(magnitude, 13), i32x4.splat(0x1ff));
  const nan = v128.and(i32x4.gt_s(magnitude, i32x4.splat(0x7f800000)), v128.or(payload, i32x4.splat(0x200)));
  const huge = v128.or(nan, i32x4.splat(0x7c00));
  const finite = v128.bitselect(denormal, normal, i32x4.lt_s(magnitude, i32x4.splat(0x38800000)));
  const code = v128.bitselect(huge, finite, i32x4.ge_s(magnitude, i32x4.splat(0x47800000)));
  return v128.or(code, i32x4.shr_u(sign, 16));
}

export function toFloat16(from: usize, into: usize, count: usize): void {
  let i: usize = 0;
  for (; i + 8 <= count; i += 8) {
    const at = from + (i << 2);
    v128.store(into + (i << 1), i16x8.narrow_i32x4_u(halves(v128.load(at)), halves(v128.load(at + 16))));
  }
  for (; i < count; i++) v128.store_lane<u16>(into + (i << 1), halves(v128.load32_zero(from + (i << 2))), 0);
}

// @ts-ignore: decorator
@inline
function floats(codes: v128): v128 {
  const sign = i32x4.shl(v128.and(codes, i32x4.splat(0x8000)), 16);
  const shifted = i32x4.shl(v128.and(codes, i32x4.splat(0x7fff)), 13);
  const rebias = i32x4.splat(0x38000000);
  const normal = i32x4.add(shifted, rebias);
  // Infinity and NaN: the exponent goes on to 255.
  const huge = i32x4.add(normal, rebias);
  // Zero and denormal: 2^-14 with this fraction, less 2^-14.
  const smallest = i32x4.splat(0x38800000);
  const denormal = f32x4.sub(v128.or(shifted, smallest), smallest);
  const finite = v128.bitselect(denormal, normal, i32x4.lt_s(shifted, i32x4.splat(0x00800000)));
  const value = v128.bitselect(huge, finite, i32x4.ge_s(shifted, i32x4.splat(0x0f800000)));
  return v128.or(value, sign);
}

export function fromFloat16(from: usize, into: usize, count: usize): void {
  let i: usize = 0;
  for (; i + 4 <= count; i += 4) {
    v128.store(into + (i << 2), floats(v128.load_ext<u16>(from + (i << 1))));
  }
  for (; i < count; i++) {
    v128.store_lane<u32>(into + (i << 2), floats(i32x4.replace_lane(i32x4.splat(0), 0, load<u16>(from + (i << 1)))), 0);
  }
}
