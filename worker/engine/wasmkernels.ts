/**
 * Kernels that training needs and tfjs's WebAssembly backend lacks, composed from those it has; and matrix products
 * of transposed matrices, which its own kernel computes in a scalar loop.
 */
import type { KernelFunc, TensorInfo } from "@tensorflow/tfjs";
import type { TF } from "./engine.ts";
import { conv2dFilterGradient } from "./wasmconvolution.ts";
import { depthwiseFilterGradient, depthwiseInputGradient } from "./wasmdepthwise.ts";
import { asKernel, type Composed, wasmBackend } from "./wasmrunner.ts";

/** Registers all of them, once; before the backend is set. */
export function registerTrainingKernels(tf: TF): void {
  const missing: Record<string, Composed> = {
    Conv2DBackpropFilter: conv2dFilterGradient,
    DepthwiseConv2dNativeBackpropFilter: depthwiseFilterGradient(tf),
    DepthwiseConv2dNativeBackpropInput: depthwiseInputGradient(tf),
    UnsortedSegmentSum: segmentSum,
  };
  for (const [kernelName, composed] of Object.entries(missing)) {
    if (tf.getKernel(kernelName, wasmBackend)) return;
    tf.registerKernel({ kernelName, backendName: wasmBackend, kernelFunc: asKernel(tf, composed) });
  }
  const product = tf.getKernel("BatchMatMul", wasmBackend);
  tf.unregisterKernel("BatchMatMul", wasmBackend);
  // setupFunc and disposeFunc stay: they bind the kernel to the backend's memory.
  tf.registerKernel({ ...product, kernelFunc: transposeFirst(tf, product.kernelFunc) });
}

/** BatchMatMul that transposes explicitly: 26 to 38 GFLOP/s instead of 3. */
function transposeFirst(tf: TF, product: KernelFunc): KernelFunc {
  return ({ inputs, attrs, backend }) => {
    const multiply: Composed = (runner, { a, b }, { transposeA, transposeB }) => {
      const temporary: TensorInfo[] = [];
      const plain = (matrix: TensorInfo, isTransposed: unknown): TensorInfo => {
        if (!isTransposed) return matrix;
        const axes = matrix.shape.map((_, axis) => axis);
        const perm = [...axes.slice(0, -2), axes.at(-1)!, axes.at(-2)!];
        const transposed = runner.run("Transpose", { x: matrix }, { perm });
        temporary.push(transposed);
        return transposed;
      };
      const plainInputs = { a: plain(a!, transposeA), b: plain(b!, transposeB) };
      const result = product({ inputs: plainInputs, attrs: { transposeA: false, transposeB: false }, backend });
      runner.free(...temporary);
      return result as TensorInfo;
    };
    return asKernel(tf, multiply)({ inputs, attrs: attrs!, backend });
  };
}

/** Rows of x added up by segment; a negative segment id counts nowhere. */
const segmentSum: Composed = (runner, inputs, { numSegments }) => {
  const { x, segmentIds } = inputs as { x: TensorInfo; segmentIds: TensorInfo };
  const segments = numSegments as number;
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
};
