/** Ids of training examples, as vectors and on the wire. */

/** uint32 little-endian, of any alignment. */
export function idsOf(bytes: Uint8Array): Uint32Array {
  return new Uint32Array(new Uint8Array(bytes).buffer);
}

/** One after another; a single vector is given as it is. */
export function joinedIds(vectors: readonly Uint32Array[]): Uint32Array {
  if (vectors.length === 1) return vectors[0]!;
  const all = new Uint32Array(vectors.reduce((total, { length }) => total + length, 0));
  let at = 0;
  for (const ids of vectors) {
    all.set(ids, at);
    at += ids.length;
  }
  return all;
}
