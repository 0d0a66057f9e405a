/**
 * Kernels that training needs and tfjs's WebAssembly backend lacks, composed from those it has; and matrix products
 * of transposed matrices, which its own kernel computes in a scalar loop.
 */
import { type KernelFunc, type NamedAttrMap, type TensorInfo } from "@tensorflow/tfjs";
import type { TF } from "./engine.ts";

const name = "wasm";

/** Runs kernels on the backend below the level of tensors: nothing lands on a gradient tape. */
interface Runner {
  run(kernel: string, inputs: Record<string, TensorInfo>, attributes: NamedAttrMap): TensorInfo;
  free(...infos: readonly TensorInfo[]): void;
}

interface Backend {
  disposeData(dataId: object): boolean;
}

type Composed = (runner: Runner, inputs: Record<string, TensorInfo>, attributes: NamedAttrMap) => TensorInfo;

/** Registers all of them; before the backend is set. */
export function registerTrainingKernels(tf: TF): void {
  const runnerOn = (backend: Backend): Runner => ({
    run: (kernel, inputs, attributes) => tf.getKernel(kernel, name).kernelFunc({ inputs, attrs: attributes, backend }) as TensorInfo,
    free: (...infos) => {
      for (const { dataId } of infos) backend.disposeData(dataId);
    },
  });
  const asKernel = (composed: Composed): KernelFunc => {
    return ({ inputs, attrs, backend }) => composed(runnerOn(backend as Backend), inputs as Record<string, TensorInfo>, attrs ?? {});
  };
  const missing: Record<string, Composed> = {
    Conv2DBackpropFilter: conv2dFilterGradient,
    DepthwiseConv2dNativeBackpropFilter: depthwiseFilterGradient(tf),
    DepthwiseConv2dNativeBackpropInput: depthwiseInputGradient(tf),
    UnsortedSegmentSum: segmentSum,
  };
  for (const [kernelName, composed] of Object.entries(missing)) {
    if (!tf.getKernel(kernelName, name)) tf.registerKernel({ kernelName, backendName: name, kernelFunc: asKernel(composed) });
  }
  const product = tf.getKernel("BatchMatMul", name);
  tf.unregisterKernel("BatchMatMul", name);
  // setupFunc and disposeFunc stay: they bind the kernel to the backend's memory.
  tf.registerKernel({ ...product, kernelFunc: transposeFirst(product.kernelFunc, runnerOn) });
}

/** BatchMatMul that transposes explicitly: 26 to 38 GFLOP/s instead of 3. */
function transposeFirst(product: KernelFunc, runnerOn: (backend: Backend) => Runner): KernelFunc {
  return ({ inputs, attrs, backend }) => {
    const runner = runnerOn(backend as Backend);
    const temporary: TensorInfo[] = [];
    const plain = (matrix: TensorInfo, isTransposed: unknown): TensorInfo => {
      if (!isTransposed) return matrix;
      const rank = matrix.shape.length;
      const perm = matrix.shape.map((_, axis) => (axis === rank - 1 ? rank - 2 : axis === rank - 2 ? rank - 1 : axis));
      const transposed = runner.run("Transpose", { x: matrix }, { perm });
      temporary.push(transposed);
      return transposed;
    };
    const { a, b } = inputs as unknown as { a: TensorInfo; b: TensorInfo };
    const { transposeA, transposeB } = (attrs ?? {}) as { transposeA?: boolean; transposeB?: boolean };
    const plainInputs = { a: plain(a, transposeA), b: plain(b, transposeB) };
    const result = product({ inputs: plainInputs, attrs: { transposeA: false, transposeB: false }, backend });
    runner.free(...temporary);
    return result;
  };
}

interface Window {
  readonly strides: readonly [number, number];
  readonly dilations: readonly [number, number];
  readonly top: number;
  readonly left: number;
  readonly bottom: number;
  readonly right: number;
}

/**
 * Gradient of a convolution by its filter: a convolution of x, its batch as channels, with dy as the filter, dilated
 * by the stride.
 */
function conv2dFilterGradient(runner: Runner, inputs: Record<string, TensorInfo>, attributes: NamedAttrMap): TensorInfo {
  const { x, dy } = inputs as { x: TensorInfo; dy: TensorInfo };
  const filterShape = attributes["filterShape"] as [number, number, number, number];
  const strides = attributes["strides"] as number | [number, number];
  const [strideY, strideX] = typeof strides === "number" ? [strides, strides] : strides;
  const [, height, width] = x.shape as [number, number, number];
  const [, outHeight, outWidth] = dy.shape as [number, number, number];
  const [filterHeight, filterWidth] = filterShape;
  // What the forward pass padded in all: enough for the last window, whichever rule `pad` named.
  const rows = padding(attributes["pad"], 1, height, outHeight, strideY, filterHeight);
  const columns = padding(attributes["pad"], 2, width, outWidth, strideX, filterWidth);
  const images = runner.run("Transpose", { x }, { perm: [3, 1, 2, 0] });
  const windows = runner.run("Transpose", { x: dy }, { perm: [1, 2, 0, 3] });
  const pad = [[0, 0], rows, columns, [0, 0]];
  const wide = runner.run("Conv2D", { x: images, filter: windows }, { strides: [1, 1], pad, dilations: [strideY, strideX], dataFormat: "NHWC", dimRoundingMode: null } as never);
  const size = [wide.shape[0]!, filterHeight, filterWidth, wide.shape[3]!];
  const cut = runner.run("Slice", { x: wide }, { begin: [0, 0, 0, 0], size });
  const gradient = runner.run("Transpose", { x: cut }, { perm: [1, 2, 0, 3] });
  runner.free(images, windows, wide, cut);
  return gradient;
}

/** Zeros before and after one side of the image, as the forward convolution padded it. */
function padding(pad: unknown, axis: number, size: number, outSize: number, stride: number, filter: number): [number, number] {
  if (Array.isArray(pad)) return pad[axis] as [number, number];
  if (typeof pad === "number") return [pad, pad];
  if (pad === "valid") return [0, 0];
  const total = Math.max((outSize - 1) * stride + filter - size, 0);
  return [Math.floor(total / 2), total - Math.floor(total / 2)];
}

function windowOf(tf: TF, inShape: readonly number[], filterShape: readonly number[], attributes: NamedAttrMap): Window {
  const { strides, dilations, pad, dimRoundingMode } = attributes as unknown as Record<"strides" | "dilations" | "pad" | "dimRoundingMode", never>;
  const info = tf.backend_util.computeConv2DInfo(inShape as never, filterShape as never, strides, dilations ?? (1 as never), pad, dimRoundingMode, true);
  const { strideHeight, strideWidth, dilationHeight, dilationWidth, padInfo } = info;
  return { strides: [strideHeight, strideWidth], dilations: [dilationHeight, dilationWidth], top: padInfo.top, left: padInfo.left, bottom: padInfo.bottom, right: padInfo.right };
}

/** For each tap of the filter: the sum over all windows of input times dy. */
function depthwiseFilterGradient(tf: TF): Composed {
  return (runner, { x, dy }, attributes) => {
    const filterShape = attributes["filterShape"] as [number, number, number, number];
    const [filterHeight, filterWidth, channels, multiplier] = filterShape;
    const window = windowOf(tf, x!.shape, filterShape, attributes);
    const [batch, outHeight, outWidth] = dy!.shape as [number, number, number, number];
    const padded = runner.run("PadV2", { x: x! }, { paddings: [[0, 0], [window.top, window.bottom], [window.left, window.right], [0, 0]], constantValue: 0 });
    const dyTaps = { ...dy!, shape: [batch, outHeight, outWidth, channels, multiplier] };
    const taps: TensorInfo[] = [];
    for (let row = 0; row < filterHeight; row++) {
      for (let column = 0; column < filterWidth; column++) {
        const seen = strided(runner, padded, window, row, column, outHeight, outWidth);
        const broadcast = { ...seen, shape: [batch, outHeight, outWidth, channels, 1] };
        const products = runner.run("Multiply", { a: broadcast, b: dyTaps }, {});
        const flat = { ...products, shape: [batch * outHeight * outWidth, channels * multiplier] };
        const tap = runner.run("Sum", { x: flat }, { axis: [0], keepDims: false });
        taps.push({ ...tap, shape: [1, channels * multiplier] });
        runner.free(seen, products);
      }
    }
    const joined = runner.run("Concat", taps as never, { axis: 0 });
    runner.free(padded, ...taps);
    return { ...joined, shape: filterShape };
  };
}

/** For each tap of the filter: dy times the tap, put where its windows looked. */
function depthwiseInputGradient(tf: TF): Composed {
  return (runner, { dy, filter }, attributes) => {
    const inputShape = attributes["inputShape"] as [number, number, number, number];
    const [filterHeight, filterWidth, channels, multiplier] = filter!.shape as [number, number, number, number];
    const window = windowOf(tf, inputShape, filter!.shape, attributes);
    const [batch, height, width] = inputShape;
    const [, outHeight, outWidth] = dy!.shape as [number, number, number, number];
    const full = [batch, height + window.top + window.bottom, width + window.left + window.right, channels];
    const dyTaps = { ...dy!, shape: [batch * outHeight * outWidth, channels, multiplier] };
    let total: TensorInfo | null = null;
    for (let row = 0; row < filterHeight; row++) {
      for (let column = 0; column < filterWidth; column++) {
        const tap = runner.run("Slice", { x: filter! }, { begin: [row, column, 0, 0], size: [1, 1, channels, multiplier] });
        const products = runner.run("Multiply", { a: dyTaps, b: { ...tap, shape: [1, channels, multiplier] } }, {});
        const summed = runner.run("Sum", { x: products }, { axis: [2], keepDims: false });
        const placed = spread(runner, { ...summed, shape: [batch, outHeight, outWidth, channels] }, window, row, column, full);
        runner.free(tap, products, summed);
        if (total) {
          const sum = runner.run("Add", { a: total, b: placed }, {});
          runner.free(total, placed);
          total = sum;
        } else total = placed;
      }
    }
    const gradient = runner.run("Slice", { x: total! }, { begin: [0, window.top, window.left, 0], size: inputShape });
    runner.free(total!);
    return gradient;
  };
}

/** What one tap of the filter sees of the padded input: [batch, outHeight, outWidth, channels]. */
function strided(runner: Runner, padded: TensorInfo, { strides, dilations }: Window, row: number, column: number, outHeight: number, outWidth: number): TensorInfo {
  const [batch, , , channels] = padded.shape as [number, number, number, number];
  const begin = [0, row * dilations[0], column * dilations[1], 0];
  const end = [batch, begin[1]! + (outHeight - 1) * strides[0] + 1, begin[2]! + (outWidth - 1) * strides[1] + 1, channels];
  return runner.run("StridedSlice", { x: padded }, { begin, end, strides: [1, ...strides, 1], beginMask: 0, endMask: 0, ellipsisMask: 0, newAxisMask: 0, shrinkAxisMask: 0 } as never);
}

/** The reverse of `strided`: zeros between the values, and around them up to the shape `full`. */
function spread(runner: Runner, values: TensorInfo, { strides, dilations }: Window, row: number, column: number, full: readonly number[]): TensorInfo {
  const [batch, outHeight, outWidth, channels] = values.shape as [number, number, number, number];
  const [strideY, strideX] = strides;
  const apart = { ...values, shape: [batch * outHeight, 1, outWidth, 1, channels] };
  const dilated = runner.run("PadV2", { x: apart }, { paddings: [[0, 0], [0, strideY - 1], [0, 0], [0, strideX - 1], [0, 0]], constantValue: 0 });
  const rows = (outHeight - 1) * strideY + 1;
  const columns = (outWidth - 1) * strideX + 1;
  const grid = { ...dilated, shape: [batch, outHeight * strideY, outWidth * strideX, channels] };
  const trimmed = runner.run("Slice", { x: grid }, { begin: [0, 0, 0, 0], size: [batch, rows, columns, channels] });
  const top = row * dilations[0];
  const left = column * dilations[1];
  const around = [[0, 0], [top, full[1]! - top - rows], [left, full[2]! - left - columns], [0, 0]];
  const placed = runner.run("PadV2", { x: trimmed }, { paddings: around, constantValue: 0 } as never);
  runner.free(dilated, trimmed);
  return placed;
}

/** Rows of x added up by segment; a negative segment id counts nowhere. */
function segmentSum(runner: Runner, inputs: Record<string, TensorInfo>, attributes: NamedAttrMap): TensorInfo {
  const { x, segmentIds } = inputs as { x: TensorInfo; segmentIds: TensorInfo };
  const segments = attributes["numSegments"] as number;
  const [rows, ...rest] = x.shape as [number, ...number[]];
  // A spare row at the end takes what belongs nowhere.
  const spare = runner.run("Fill", {}, { shape: [rows], value: segments, dtype: "int32" });
  const zero = runner.run("Fill", {}, { shape: [rows], value: 0, dtype: "int32" });
  const isNowhere = runner.run("Less", { a: segmentIds, b: zero }, {});
  const ids = runner.run("Select", { condition: isNowhere, t: spare, e: segmentIds }, {});
  const indices = { ...ids, shape: [rows, 1] };
  const sums = runner.run("ScatterNd", { indices, updates: x }, { shape: [segments + 1, ...rest] });
  const cut = runner.run("Slice", { x: sums }, { begin: sums.shape.map(() => 0), size: [segments, ...rest] });
  runner.free(spare, zero, isNowhere, ids, sums);
  return cut;
}
