/**
 * Seeded randomness as pure functions of their words, so that every draw of a job can be made anywhere, in any
 * order, with the same result (L1). Not for secrets.
 */

/** Mixes 32-bit words into one; murmur3's body and finalizer (Appleby, public domain) over the words. */
export function hash32(...words: readonly number[]): number {
  let h = 0x9747b28c;
  for (const word of words) {
    let k = Math.imul(word | 0, 0xcc9e2d51);
    k = (k << 15) | (k >>> 17);
    h ^= Math.imul(k, 0x1b873593);
    h = (h << 13) | (h >>> 19);
    h = (Math.imul(h, 5) + 0xe6546b64) | 0;
  }
  h ^= words.length * 4;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** Draws in [0,1) with 53 bits, a stream that is a function of its seed words (sfc32). */
export function randomStream(...words: readonly number[]): () => number {
  let a = hash32(1, ...words) | 0;
  let b = hash32(2, ...words) | 0;
  let c = hash32(3, ...words) | 0;
  let counter = 1;
  const next = (): number => {
    const t = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + t) | 0;
    return t >>> 0;
  };
  for (let i = 0; i < 12; i++) next();
  return () => ((next() >>> 5) * 0x4000000 + (next() >>> 6)) / 0x20000000000000;
}

/** What a draw is for; first word of every seed, so that no two uses share a stream. */
export const purpose = {
  order: 1,
  view: 2,
  initial: 3,
  dropout: 4,
  holdout: 5,
  sample: 6,
  canary: 7,
  rows: 8,
} as const;
