/** The gradients of a depthwise convolution, which the WebAssembly backend lacks: tap by tap of the filter. */
import type { NamedAttrMap, TensorInfo } from "@tensorflow/tfjs";
import type { TF } from "./engine.ts";
import type { Composed, Runner } from "./wasmrunner.ts";

type Shape4 = [number, number, number, number];

/** How the windows of a convolution lie over its input; pairs are of rows and columns. */
interface Windows {
  readonly batch: number;
  readonly channels: number;
  /** How many there are. */
  readonly count: readonly [number, number];
  readonly strides: readonly [number, number];
  readonly dilations: readonly [number, number];
  /** Zeros before and after the input. */
  readonly padding: readonly [readonly [number, number], readonly [number, number]];
  /** Of the input with its zeros. */
  readonly padded: readonly [number, number];
}

/** One place of the filter: row, column. */
type Tap = readonly [number, number];

/** For each tap: the sum over all windows of input times dy. */
export function depthwiseFilterGradient(tf: TF): Composed {
  return (runner, inputs, attributes) => {
    const { x, dy } = inputs as { x: TensorInfo; dy: TensorInfo };
    const filterShape = attributes["filterShape"] as Shape4;
    const [, , channels, multiplier] = filterShape;
    const windows = windowsOf(tf, x.shape as Shape4, filterShape, attributes);
    const { batch, count, padding } = windows;
    const padded = padImages(runner, x, padding);
    const steepness = { ...dy, shape: [batch, ...count, channels, multiplier] };
    const sums = tapsOf(filterShape).map((tap) => {
      const seen = gather(runner, padded, windows, tap);
      const products = runner.run("Multiply", { a: { ...seen, shape: [...seen.shape, 1] }, b: steepness }, {});
      const rows = { ...products, shape: [batch * count[0] * count[1], channels * multiplier] };
      const sum = runner.run("Sum", { x: rows }, { axis: [0], keepDims: false });
      runner.free(seen, products);
      return { ...sum, shape: [1, channels * multiplier] };
    });
    const joined = runner.run("Concat", sums as never, { axis: 0 });
    runner.free(padded, ...sums);
    return { ...joined, shape: filterShape };
  };
}

/** For each tap: dy times the tap, put where its windows looked. */
export function depthwiseInputGradient(tf: TF): Composed {
  return (runner, inputs, attributes) => {
    const { dy, filter } = inputs as { dy: TensorInfo; filter: TensorInfo };
    const inputShape = attributes["inputShape"] as Shape4;
    const [, , channels, multiplier] = filter.shape as Shape4;
    const windows = windowsOf(tf, inputShape, filter.shape as Shape4, attributes);
    const { batch, count, padding } = windows;
    const steepness = { ...dy, shape: [batch * count[0] * count[1], channels, multiplier] };
    const total = tapsOf(filter.shape as Shape4).reduce<TensorInfo | null>((before, tap) => {
      const weight = runner.run("Slice", { x: filter }, { begin: [...tap, 0, 0], size: [1, 1, channels, multiplier] });
      const row = { ...weight, shape: [1, channels, multiplier] };
      const products = runner.run("Multiply", { a: steepness, b: row }, {});
      const sum = runner.run("Sum", { x: products }, { axis: [2], keepDims: false });
      const placed = scatter(runner, { ...sum, shape: [batch, ...count, channels] }, windows, tap);
      runner.free(weight, products, sum);
      if (!before) return placed;
      const added = runner.run("Add", { a: before, b: placed }, {});
      runner.free(before, placed);
      return added;
    }, null)!;
    const begin = [0, padding[0][0], padding[1][0], 0];
    const gradient = runner.run("Slice", { x: total }, { begin, size: inputShape });
    runner.free(total);
    return gradient;
  };
}

function windowsOf(tf: TF, inShape: Shape4, filterShape: Shape4, attributes: NamedAttrMap): Windows {
  const { strides, dilations, pad, dimRoundingMode } = attributes as Record<string, never>;
  const spacing = dilations ?? 1;
  const found = tf.backend_util.computeConv2DInfo(inShape, filterShape, strides!, spacing, pad!, dimRoundingMode, true);
  const { top, bottom, left, right } = found.padInfo;
  return {
    batch: found.batchSize,
    channels: found.inChannels,
    count: [found.outHeight, found.outWidth],
    strides: [found.strideHeight, found.strideWidth],
    dilations: [found.dilationHeight, found.dilationWidth],
    padding: [
      [top, bottom],
      [left, right],
    ],
    padded: [found.inHeight + top + bottom, found.inWidth + left + right],
  };
}

function tapsOf([height, width]: Shape4): readonly Tap[] {
  return Array.from({ length: height * width }, (_, at) => [Math.floor(at / width), at % width]);
}

/** What one tap sees of the padded input: [batch, rows of windows, columns of windows, channels]. */
function gather(runner: Runner, padded: TensorInfo, windows: Windows, [row, column]: Tap): TensorInfo {
  const { batch, channels, strides, dilations } = windows;
  const [rows, columns] = reach(windows);
  const begin = [0, row * dilations[0], column * dilations[1], 0];
  const end = [batch, begin[1]! + rows, begin[2]! + columns, channels];
  const masks = { beginMask: 0, endMask: 0, ellipsisMask: 0, newAxisMask: 0, shrinkAxisMask: 0 };
  return runner.run("StridedSlice", { x: padded }, { begin, end, strides: [1, ...strides, 1], ...masks });
}

/** The reverse: the values where the tap saw the padded input, zeros elsewhere. */
function scatter(runner: Runner, values: TensorInfo, windows: Windows, [row, column]: Tap): TensorInfo {
  const { batch, channels, count, strides, dilations, padded } = windows;
  const rowsApart = { ...values, shape: [batch * count[0], 1, count[1], channels] };
  // Each row becomes `stride` rows; each column, as an image of one row, `stride` columns.
  const tall = padImages(runner, rowsApart, [
    [0, strides[0] - 1],
    [0, 0],
  ]);
  const columnsApart = { ...tall, shape: [batch * count[0] * strides[0] * count[1], 1, 1, channels] };
  const wide = padImages(runner, columnsApart, [
    [0, 0],
    [0, strides[1] - 1],
  ]);
  const grid = { ...wide, shape: [batch, count[0] * strides[0], count[1] * strides[1], channels] };
  const [rows, columns] = reach(windows);
  const trimmed = runner.run("Slice", { x: grid }, { begin: [0, 0, 0, 0], size: [batch, rows, columns, channels] });
  const [top, left] = [row * dilations[0], column * dilations[1]];
  const placed = padImages(runner, trimmed, [
    [top, padded[0] - top - rows],
    [left, padded[1] - left - columns],
  ]);
  runner.free(tall, wide, trimmed);
  return placed;
}

/** From the first to the last place that one tap sees. */
function reach({ count, strides }: Windows): readonly [number, number] {
  return [(count[0] - 1) * strides[0] + 1, (count[1] - 1) * strides[1] + 1];
}

function padImages(runner: Runner, x: TensorInfo, [rows, columns]: Windows["padding"]): TensorInfo {
  const paddings = [[0, 0], [...rows], [...columns], [0, 0]];
  return runner.run("PadV2", { x }, { paddings, constantValue: 0 });
}
