/** Normalization: every feature as (raw - offset) / divisor, measured on the training split where it is measured. */
import { sizeOf } from "../../core/layout.ts";
import type { DatasetSpec, Values } from "./decoded.ts";

/** One offset and divisor for all features, or one per column. */
export interface Scaling {
  readonly offset: Float64Array;
  readonly divisor: Float64Array;
}

export interface Measured {
  /** Shape of one example. */
  readonly shape: readonly number[];
  readonly values: Values;
  /** Rows of `values` that make the training split. */
  readonly rows: Uint32Array;
}

/** @param train is read only by `standardize` and, for values that are no bytes, by `unit` */
export function scalingOf(spec: DatasetSpec["normalization"], train: Measured): Scaling {
  const full = train.values instanceof Uint8Array ? 255 : 1; // What stands for 1.
  if (typeof spec === "object") return same(spec.mean * full, spec.std * full);
  switch (spec) {
    case "none":
      return same(0, 1);
    case "unit":
      return train.values instanceof Uint8Array ? same(0, full) : measuredRange(train);
    case "standardize":
      return train.values instanceof Uint8Array ? measuredBytes(train, train.values) : measuredMoments(train);
  }
}

/** The normalised value of every byte, [256]. */
export function byteTable({ offset, divisor }: Scaling): Float32Array {
  return Float32Array.from({ length: 256 }, (_, byte) => (byte - offset[0]!) / divisor[0]!);
}

/** All values normalised, rounded once to float32. */
export function normalised(values: Float32Array | Float64Array, { offset, divisor }: Scaling): Float32Array {
  const columns = offset.length;
  const result = new Float32Array(values.length);
  for (let at = 0; at < result.length; at++) {
    const column = at % columns;
    result[at] = (values[at]! - offset[column]!) / divisor[column]!;
  }
  return result;
}

function same(offset: number, divisor: number): Scaling {
  return { offset: Float64Array.of(offset), divisor: Float64Array.of(divisor) };
}

function measuredRange(train: Measured): Scaling {
  const columns = columnsOf(train);
  const least = new Float64Array(columns).fill(Number.POSITIVE_INFINITY);
  const most = new Float64Array(columns).fill(Number.NEGATIVE_INFINITY);
  visit(train, (value, column) => {
    if (value < least[column]!) least[column] = value;
    if (value > most[column]!) most[column] = value;
  });
  return { offset: least, divisor: most.map((value, column) => nonZero(value - least[column]!)) };
}

function measuredMoments(train: Measured): Scaling {
  const columns = columnsOf(train);
  const perColumn = (train.rows.length * sizeOf(train.shape)) / columns;
  const offset = new Float64Array(columns);
  visit(train, (value, column) => {
    offset[column]! += value / perColumn;
  });
  const variance = new Float64Array(columns);
  visit(train, (value, column) => {
    variance[column]! += (value - offset[column]!) ** 2 / perColumn;
  });
  return { offset, divisor: variance.map((each) => nonZero(Math.sqrt(each))) };
}

/** Mean and deviation of bytes from their exact counts. */
function measuredBytes({ shape, rows }: Measured, values: Uint8Array): Scaling {
  const size = sizeOf(shape);
  const counts = new Float64Array(256);
  for (let row = 0; row < rows.length; row++) {
    const start = rows[row]! * size;
    for (let at = start; at < start + size; at++) counts[values[at]!]!++;
  }
  const total = rows.length * size;
  const mean = counts.reduce((sum, count, byte) => sum + count * byte, 0) / total;
  const variance = counts.reduce((sum, count, byte) => sum + count * (byte - mean) ** 2, 0) / total;
  return same(mean, nonZero(Math.sqrt(variance)));
}

/** Tables are measured per column, images as a whole. */
export function columnsOf({ shape }: Pick<Measured, "shape">): number {
  return shape.length === 1 ? shape[0]! : 1;
}

function visit(train: Measured, see: (value: number, column: number) => void): void {
  const [size, columns] = [sizeOf(train.shape), columnsOf(train)];
  for (const row of train.rows) {
    for (let at = 0; at < size; at++) see(train.values[row * size + at]!, at % columns);
  }
}

/** A constant feature stays a constant 0. */
function nonZero(divisor: number): number {
  return divisor > 0 ? divisor : 1;
}
