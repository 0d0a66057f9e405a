// A 32-bit checksum of 16 interleaved accumulators, each updated as XXH32's (Yann Collet, xxHash, BSD): every update is
// a bijection of its accumulator, so a change within one lane is always seen. zlib's CRC-32 is eight times slower.

const prime1: u32 = 0x9e3779b1;
const prime2: u32 = 0x85ebca77;
const prime3: u32 = 0xc2b2ae3d;
const prime4: u32 = 0x27d4eb2f;
const prime5: u32 = 0x165667b1;

// @ts-ignore: decorator
@inline
function round(sum: v128, lanes: v128): v128 {
  const mixed = i32x4.add(sum, i32x4.mul(lanes, i32x4.splat(prime2)));
  return i32x4.mul(v128.or(i32x4.shl(mixed, 13), i32x4.shr_u(mixed, 19)), i32x4.splat(prime1));
}

// @ts-ignore: decorator
@inline
function merged(hash: u32, word: u32): u32 {
  return rotl(hash + word * prime3, 17) * prime4;
}

// @ts-ignore: decorator
@inline
function mergedLanes(hash: u32, lanes: v128): u32 {
  hash = merged(hash, i32x4.extract_lane(lanes, 0));
  hash = merged(hash, i32x4.extract_lane(lanes, 1));
  hash = merged(hash, i32x4.extract_lane(lanes, 2));
  return merged(hash, i32x4.extract_lane(lanes, 3));
}

// Of `bytes` bytes from `at` on, after what `previous` is the checksum of.
export function checksum(at: usize, bytes: usize, previous: u32): u32 {
  let a = i32x4(1, 2, 3, 4);
  let b = i32x4(5, 6, 7, 8);
  let c = i32x4(9, 10, 11, 12);
  let d = i32x4(13, 14, 15, 16);
  const end = at + bytes;
  for (; at + 64 <= end; at += 64) {
    a = round(a, v128.load(at));
    b = round(b, v128.load(at, 16));
    c = round(c, v128.load(at, 32));
    d = round(d, v128.load(at, 48));
  }
  let hash: u32 = merged(previous + prime5, <u32>bytes);
  hash = mergedLanes(mergedLanes(mergedLanes(mergedLanes(hash, a), b), c), d);
  for (; at < end; at++) hash = rotl(hash + <u32>load<u8>(at) * prime5, 11) * prime1;
  hash = (hash ^ (hash >> 15)) * prime2;
  hash = (hash ^ (hash >> 13)) * prime3;
  return hash ^ (hash >> 16);
}
