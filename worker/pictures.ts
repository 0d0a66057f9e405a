/** Examples as people look at them: images in bytes, made small; of anything else the first values. */
import { sizeOf } from "../core/layout.ts";
import type { Picture } from "../proto/gen/limbeck/v1/Picture.ts";
import type { Dataset, Split } from "./data/dataset.ts";

/** Pixels of a side. */
const largestSide = 64;
const mostValues = 16;

/** In the order of the examples. Images share one scale, from the darkest to the brightest value in any of them. */
export function picturesOf(dataset: Dataset, split: Split, examples: readonly number[]): Picture[] {
  const size = sizeOf(dataset.shape);
  const values = new Float32Array(examples.length * size);
  dataset.examples(split, Uint32Array.from(examples), null, values);
  const own = examples.map((_, at) => values.subarray(at * size, (at + 1) * size));
  const { shape: full } = dataset;
  if (!isImage(full)) {
    return examples.map((example, at) => ({ example, shape: [size], values: [...own[at]!.subarray(0, mostValues)] }));
  }
  const [least, most] = rangeOf(values);
  const scale = most > least ? 255 / (most - least) : 0;
  return examples.map((example, at) => {
    const { shape, pixels } = smaller(own[at]!, full);
    return { example, shape, pixels: Uint8Array.from(pixels, (value) => Math.round((value - least) * scale)) };
  });
}

/** Grey, colour, or colour with transparency. */
function isImage(shape: readonly number[]): shape is readonly [number, number, number] {
  return shape.length === 3 && [1, 3, 4].includes(shape[2]!);
}

function rangeOf(values: Float32Array): [number, number] {
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) {
    least = Math.min(least, value);
    most = Math.max(most, value);
  }
  return [least, most];
}

/** Means over squares, as large as it takes. */
function smaller(image: Float32Array, [height, width, channels]: readonly [number, number, number]) {
  const side = Math.ceil(Math.max(height, width) / largestSide);
  if (side === 1) return { shape: [height, width, channels], pixels: image };
  const shape = [Math.floor(height / side), Math.floor(width / side), channels] as const;
  const pixels = new Float32Array(sizeOf(shape));
  // Indexed loops: pixels.
  for (let y = 0; y < shape[0] * side; y++) {
    for (let x = 0; x < shape[1] * side; x++) {
      for (let channel = 0; channel < channels; channel++) {
        const into = (Math.floor(y / side) * shape[1] + Math.floor(x / side)) * channels + channel;
        pixels[into]! += image[(y * width + x) * channels + channel]! / side ** 2;
      }
    }
  }
  return { shape: [...shape], pixels };
}
