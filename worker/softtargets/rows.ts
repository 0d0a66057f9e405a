/**
 * Whether a teacher gives an example the same bits wherever it lies in a batch and whatever lies beside it. Without views
 * every epoch has an example in another lane, at another row: only where its bits do not depend on that may a cached
 * soft target stand for a fresh one in exact numerics (L1). Matrix products may round the rows at the end of a batch
 * otherwise than those in its middle, so it is tried with the real weights, at every row.
 */
import { purpose, randomStream } from "../../core/random.ts";

/** Logits [batch, classes] of examples in one pass; rows beyond the examples are padding. */
export type Pass = (examples: Uint32Array) => Promise<Float32Array>;

interface Trial {
  readonly what: string;
  readonly examples: Uint32Array;
}

/**
 * @param batch examples of the one shape that the teacher is asked with
 * @param available examples there are
 * @returns why the bits of a row depend on the rest; null where they do not
 */
export async function rowDependence(pass: Pass, batch: number, available: number): Promise<string | null> {
  const count = Math.min(batch, available);
  const first = Uint32Array.from({ length: count }, (_, at) => at);
  const logits = await pass(first);
  const classes = logits.length / count;
  for (const { what, examples } of trials(count, available)) {
    const again = await pass(examples);
    for (const [row, example] of examples.entries()) {
      if (example >= count) continue;
      if (sameBits(rowOf(again, row, classes), rowOf(logits, example, classes))) continue;
      return `in a batch of ${batch} the teacher gives other bits for example ${example} in row ${row} than in row ${example}, ${what}`;
    }
  }
  return null;
}

/** Coprime with every number of features below it: no two of the drawn examples are alike. */
const drawnFloats = 65_521;

/**
 * Examples for who has none: drawn from [0, 1), the same for the same id.
 * @returns writes [examples × features]
 */
export function drawnExamples(features: number): (examples: Uint32Array, into: Float32Array) => void {
  const draw = randomStream(purpose.rows);
  const drawn = Float32Array.from({ length: drawnFloats }, draw);
  return (examples, into) => {
    for (const [row, example] of examples.entries()) {
      for (let at = 0; at < features; at++) {
        into[row * features + at] = drawn[(example * features + at) % drawnFloats]!;
      }
    }
  };
}

/** Turned by one, every row is compared with the next, so all rows with each other. */
function* trials(count: number, available: number): Generator<Trial> {
  const made = (exampleAt: (row: number) => number, length = count) =>
    Uint32Array.from({ length }, (_, row) => exampleAt(row));
  yield { what: "all turned by one row", examples: made((row) => (row + 1) % count) };
  yield { what: "all in the opposite order", examples: made((row) => count - 1 - row) };
  const other = (row: number) => Math.min(count + row, available - 1);
  yield { what: "with others in every second row", examples: made((row) => (row % 2 ? row : other(row))) };
  yield { what: "with others in every second row", examples: made((row) => (row % 2 ? other(row) : row)) };
  yield { what: "alone with padding", examples: made((row) => row, Math.ceil(count / 2)) };
}

function rowOf(logits: Float32Array, row: number, classes: number): Float32Array {
  return logits.subarray(row * classes, (row + 1) * classes);
}

function sameBits(one: Float32Array, other: Float32Array): boolean {
  return one.every((value, at) => Object.is(value, other[at]!));
}
