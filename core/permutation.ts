/**
 * The order of an epoch without an array: a Feistel network over the smallest even number of bits that holds the
 * count, walked until the value falls inside (Black and Rogaway 2002, "Ciphers with Arbitrary Finite Domains").
 */
import { LimbeckError } from "./errors.ts";
import { hash32 } from "./random.ts";

const rounds = 8;

/**
 * A bijection on [0, count), a pure function of count and seed words.
 * @param count at most 2^52
 */
export function permutation(count: number, ...seed: readonly number[]): (position: number) => number {
  let halfBits = 1;
  while (4 ** halfBits < count) halfBits++;
  const half = 2 ** halfBits;
  const mask = half - 1;
  const keys = Array.from({ length: rounds }, (_, round) => hash32(...seed, count, round));

  return (position) => {
    // From outside, the walk might never come in.
    if (!(position >= 0 && position < count))
      throw new LimbeckError("internal", `position ${position} is not in [0, ${count})`);
    let value = position;
    // The walk stays on the position's own cycle of a permutation of [0, half²), so it ends, after fewer than 4 tries on average.
    do {
      let left = Math.floor(value / half);
      let right = value % half;
      for (let round = 0; round < rounds; round++) {
        const mixed = left ^ (scramble(right ^ keys[round]!) & mask);
        left = right;
        right = mixed;
      }
      value = left * half + right;
    } while (value >= count);
    return value;
  };
}

/** murmur3's finalizer. */
function scramble(word: number): number {
  let h = word;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
