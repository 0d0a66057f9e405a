/** The same inputs, scaled in the other usual ways: a teacher that was trained on those is far better on them. */

export interface ScaledInputs {
  /** What to write into the job. */
  readonly name: string;
  /** [examples × features] */
  readonly inputs: Float32Array;
}

/**
 * All are linear in each other, so that they follow from the inputs at hand: their range and moments on the sample stand
 * for those of the training split.
 * @param inputs [examples × features], as the job scales them
 * @param columns features that are scaled each by itself (a table's columns); 1 for pictures
 */
export function otherScalings(inputs: Float32Array, columns: number): ScaledInputs[] {
  const { least, most, mean, deviation } = statistics(inputs, columns);
  const unit = rescaled(inputs, columns, (value, c) => (value - least[c]!) / (most[c]! - least[c]! || 1));
  const scalings = [
    { name: "dataset.normalization: unit", inputs: unit },
    {
      name: "dataset.normalization: standardize",
      inputs: rescaled(inputs, columns, (value, c) => (value - mean[c]!) / (deviation[c]! || 1)),
    },
    {
      name: "dataset.normalization: {mean: 0.5, std: 0.5}",
      inputs: unit.map((value) => 2 * value - 1),
    },
  ];
  // Pictures are bytes; what a table's numbers were before they were scaled, only the file knows.
  const bytes = { name: "dataset.normalization: none", inputs: unit.map((value) => 255 * value) };
  const all = columns === 1 ? [...scalings, bytes] : scalings;
  return all.filter((scaling) => isOther(scaling.inputs, inputs));
}

function statistics(inputs: Float32Array, columns: number) {
  const vector = (value: number) => new Float64Array(columns).fill(value);
  const [least, most] = [vector(Number.POSITIVE_INFINITY), vector(Number.NEGATIVE_INFINITY)];
  const [sum, squares] = [vector(0), vector(0)];
  for (let at = 0; at < inputs.length; at++) {
    const [value, column] = [inputs[at]!, at % columns];
    least[column] = Math.min(least[column]!, value);
    most[column] = Math.max(most[column]!, value);
    sum[column]! += value;
    squares[column]! += value * value;
  }
  const rows = inputs.length / columns;
  const mean = sum.map((total) => total / rows);
  const deviation = squares.map((total, column) => Math.sqrt(Math.max(0, total / rows - mean[column]! ** 2)));
  return { least, most, mean, deviation };
}

function rescaled(
  inputs: Float32Array,
  columns: number,
  scale: (value: number, column: number) => number,
): Float32Array {
  return inputs.map((value, at) => scale(value, at % columns));
}

const sameWithin = 1e-3;

function isOther(one: Float32Array, other: Float32Array): boolean {
  return one.some((value, at) => Math.abs(value - other[at]!) > sameWithin);
}
