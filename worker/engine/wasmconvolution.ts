/** The gradient of a convolution by its filter, which the WebAssembly backend lacks. */
import type { TensorInfo } from "@tensorflow/tfjs";
import type { Composed } from "./wasmrunner.ts";

/**
 * Gradient of a convolution by its filter: a convolution of x, its batch as channels, with dy as the filter, dilated
 * by the stride.
 */
export const conv2dFilterGradient: Composed = (runner, inputs, attributes) => {
  const { x, dy } = inputs as { x: TensorInfo; dy: TensorInfo };
  const [filterHeight, filterWidth] = attributes["filterShape"] as [number, number, number, number];
  const strides = attributes["strides"] as number | [number, number];
  const [strideY, strideX] = typeof strides === "number" ? [strides, strides] : strides;
  const { pad } = attributes;
  const [, height, width] = x.shape as [number, number, number];
  const [, outHeight, outWidth] = dy.shape as [number, number, number];
  // A forward pass that rounded down did not look at the last rows: what is too many is cut off at the end.
  const rows = padding(Array.isArray(pad) ? pad[1] : pad, (outHeight - 1) * strideY + filterHeight - height);
  const columns = padding(Array.isArray(pad) ? pad[2] : pad, (outWidth - 1) * strideX + filterWidth - width);
  const images = runner.run("Transpose", { x }, { perm: [3, 1, 2, 0] });
  const windows = runner.run("Transpose", { x: dy }, { perm: [1, 2, 0, 3] });
  const convolution = {
    strides: [1, 1],
    pad: [[0, 0], rows, columns, [0, 0]],
    dilations: [strideY, strideX],
    dataFormat: "NHWC",
    dimRoundingMode: null,
  };
  const wide = runner.run("Conv2D", { x: images, filter: windows }, convolution as never);
  const size = [wide.shape[0]!, filterHeight, filterWidth, wide.shape[3]!];
  const cut = runner.run("Slice", { x: wide }, { begin: [0, 0, 0, 0], size });
  const gradient = runner.run("Transpose", { x: cut }, { perm: [1, 2, 0, 3] });
  runner.free(images, windows, wide, cut);
  return gradient;
};

/**
 * Zeros before and after one side of the image, as the forward convolution padded it.
 * @param lacking what "same" adds: by how much the windows reach over the image
 */
function padding(pad: unknown, lacking: number): [number, number] {
  if (Array.isArray(pad)) return pad as [number, number];
  if (typeof pad === "number") return [pad, pad];
  if (pad === "valid") return [0, 0];
  const total = Math.max(lacking, 0);
  return [Math.floor(total / 2), total - Math.floor(total / 2)];
}
