/**
 * The k largest logits of every example, and of the rest only its mass. To cut the rest off and renormalize is biased: it
 * makes the teacher surer than it is, by 1 / (1 - tail), and the student learns that (Anshumann et al. 2025, "Sparse Logit
 * Sampling", section 3). Here the kept classes get exactly the probability they have at the temperature, and the
 * rest shares its own equally: of all distributions with these facts, the one with the largest entropy.
 */
import { LimbeckError } from "../../core/errors.ts";
import { encodeFloat16, valueOfFloat16 } from "../../core/float16.ts";

/** Of an example: k logits as float16, their classes, and the logit that every other class gets, as float32. */
export function topBytes(k: number, classes: number): number {
  return kept(k, classes) * (2 + indexBytes(classes)) + 4;
}

/** @param logits [examples, classes], all within float16's range */
export function encodeTop(
  logits: Float32Array,
  { classes, k, temperature }: { classes: number; k: number; temperature: number },
): Uint8Array {
  const examples = logits.length / classes;
  const keep = kept(k, classes);
  const size = topBytes(k, classes);
  const bytes = new Uint8Array(examples * size);
  const view = new DataView(bytes.buffer);
  for (let example = 0; example < examples; example++) {
    const row = logits.subarray(example * classes, (example + 1) * classes);
    const largest = largestOf(row, keep);
    const codes = encodeFloat16(Float32Array.from(largest, (index) => row[index]!));
    let at = example * size;
    for (const code of codes) {
      view.setUint16(at, code, true);
      at += 2;
    }
    for (const index of largest) {
      if (indexBytes(classes) === 2) view.setUint16(at, index, true);
      else view.setUint32(at, index, true);
      at += indexBytes(classes);
    }
    view.setFloat32(at, tailLogit(row, largest, temperature), true);
  }
  return bytes;
}

/** @returns logits [examples, classes] */
export function decodeTop(
  bytes: Uint8Array,
  { examples, classes, k }: { examples: number; classes: number; k: number },
): Float32Array {
  const keep = kept(k, classes);
  const size = topBytes(k, classes);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const logits = new Float32Array(examples * classes);
  for (let example = 0; example < examples; example++) {
    const from = example * size;
    const row = logits.subarray(example * classes, (example + 1) * classes);
    row.fill(view.getFloat32(from + size - 4, true));
    for (let rank = 0; rank < keep; rank++) {
      const at = from + 2 * keep + rank * indexBytes(classes);
      const index = indexBytes(classes) === 2 ? view.getUint16(at, true) : view.getUint32(at, true);
      if (index >= classes) throw new LimbeckError("corrupt", `class ${index} of ${classes} among the largest logits`);
      row[index] = valueOfFloat16(view.getUint16(from + 2 * rank, true));
    }
  }
  return logits;
}

function kept(k: number, classes: number): number {
  return Math.min(k, classes);
}

function indexBytes(classes: number): 2 | 4 {
  return classes <= 65_536 ? 2 : 4;
}

/** Classes of the `keep` largest, largest first; of equal ones the lower class, so that the choice has no chance in it (L1). */
function largestOf(row: Float32Array, keep: number): number[] {
  const largest: number[] = [];
  for (let index = 0; index < row.length; index++) {
    const value = row[index]!;
    if (largest.length === keep && !(value > row[largest[keep - 1]!]!)) continue;
    let at = largest.length === keep ? keep - 1 : largest.length;
    for (; at > 0 && value > row[largest[at - 1]!]!; at--) largest[at] = largest[at - 1]!;
    largest[at] = index;
  }
  return largest;
}

/** What each of the rest would have, were they equal and their mass what it is: T·log(mean exp(z / T)); 0 where nothing is left. */
function tailLogit(row: Float32Array, largest: readonly number[], temperature: number): number {
  const rest = row.length - largest.length;
  if (rest === 0) return 0;
  const isKept = new Set(largest);
  let [most, sum] = [Number.NEGATIVE_INFINITY, 0];
  for (let index = 0; index < row.length; index++) if (!isKept.has(index)) most = Math.max(most, row[index]!);
  for (let index = 0; index < row.length; index++) {
    if (!isKept.has(index)) sum += Math.exp((row[index]! - most) / temperature);
  }
  return most + temperature * Math.log(sum / rest);
}
