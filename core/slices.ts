/** Who owns the reduction of which part of the flat gradient vector. */

/** 64 bytes: a cache line, and whole SIMD vectors. */
const alignedFloats = 16;

/** A contiguous part of a float vector, both in floats. */
export interface Slice {
  readonly offset: number;
  readonly length: number;
}

/** One slice per owner: in order, covering [0, floats), as equal as aligned starts allow; the last ones may be empty. */
export function slices(floats: number, owners: number): Slice[] {
  const blocks = Math.ceil(floats / alignedFloats);
  const each = Math.floor(blocks / owners);
  const extra = blocks % owners;
  const start = (owner: number) => Math.min((owner * each + Math.min(owner, extra)) * alignedFloats, floats);
  return Array.from({ length: owners }, (_, owner) => ({
    offset: start(owner),
    length: start(owner + 1) - start(owner),
  }));
}
