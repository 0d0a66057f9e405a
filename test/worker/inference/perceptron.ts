/** One small network in every format, and what it gives, computed here in float64. */
import { randomStream } from "../../../core/random.ts";

/** flatten, dense, relu, dense, and perhaps a softmax and its logarithm. */
export interface Perceptron {
  readonly inputs: number;
  readonly hidden: number;
  readonly classes: number;
  /** [inputs, hidden] */
  readonly kernel: Float32Array;
  readonly bias: Float32Array;
  /** [hidden, classes] */
  readonly kernel2: Float32Array;
  readonly bias2: Float32Array;
}

/** What the model's last op gives. */
export type Gives = "logits" | "probabilities" | "logProbabilities";

export function perceptron(seed: number, inputs: number, classes: number, hidden = 7): Perceptron {
  const draw = randomStream(seed, inputs);
  const floats = (length: number, scale: number) => Float32Array.from({ length }, () => (draw() * 2 - 1) * scale);
  return {
    ...{ inputs, hidden, classes },
    kernel: floats(inputs * hidden, 0.5),
    bias: floats(hidden, 0.3),
    kernel2: floats(hidden * classes, 1.5),
    bias2: floats(classes, 0.5),
  };
}

/** Logits [count, classes]. @param examples [count, inputs], as the model takes them */
export function logitsOf(model: Perceptron, examples: Float32Array, count: number): Float64Array {
  const { inputs, hidden, classes } = model;
  const logits = new Float64Array(count * classes);
  for (let row = 0; row < count; row++) {
    const units = Array.from({ length: hidden }, (_, unit) => {
      let sum = model.bias[unit]!;
      for (let at = 0; at < inputs; at++) sum += examples[row * inputs + at]! * model.kernel[at * hidden + unit]!;
      return Math.max(sum, 0);
    });
    for (let c = 0; c < classes; c++) {
      let sum = model.bias2[c]!;
      units.forEach((unit, at) => {
        sum += unit * model.kernel2[at * classes + c]!;
      });
      logits[row * classes + c] = sum;
    }
  }
  return logits;
}

/** softmax(z / T) of each row. */
export function softened(logits: ArrayLike<number>, classes: number, temperature = 1): Float64Array {
  const result = new Float64Array(logits.length);
  for (let row = 0; row < logits.length; row += classes) {
    const powers = Array.from({ length: classes }, (_, c) => Math.exp(logits[row + c]! / temperature));
    const sum = powers.reduce((total, power) => total + power, 0);
    powers.forEach((power, c) => {
      result[row + c] = power / sum;
    });
  }
  return result;
}

/** `count` pictures [height, width, channels], and the same channels first. */
export function pictures(count: number, [height, width, channels]: readonly [number, number, number]) {
  const draw = randomStream(31, count);
  const nhwc = Float32Array.from({ length: count * height * width * channels }, () => draw());
  const nchw = new Float32Array(nhwc.length);
  let at = 0;
  for (let n = 0; n < count; n++)
    for (let c = 0; c < channels; c++)
      for (let y = 0; y < height; y++)
        for (let x = 0; x < width; x++) nchw[at++] = nhwc[((n * height + y) * width + x) * channels + c]!;
  return { nhwc, nchw };
}
