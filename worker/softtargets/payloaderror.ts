/** What a format costs: how far the soft targets that arrive are from those the teacher gave. */
import { logSumExp } from "../../core/softmax.ts";
import type { LogitsFormat } from "./format.ts";

/** KL(true || decoded) of the softened distributions, nats, over some examples. */
export interface PayloadError {
  readonly examples: number;
  readonly sum: number;
  readonly max: number;
}

export const noPayloadError: PayloadError = { examples: 0, sum: 0, max: 0 };

export function addPayloadErrors(one: PayloadError, other: PayloadError): PayloadError {
  return {
    examples: one.examples + other.examples,
    sum: one.sum + other.sum,
    max: Math.max(one.max, other.max),
  };
}

/** Every so many answers the error of the format is measured, on so many examples. */
const sampledEvery = 16;
const sampledRows = 4;

/** Measures what a format costs on a sample of the answers. */
export class PayloadSampling {
  #count = 0;

  /**
   * @param logits [examples, classes]
   * @param decoded what is made of them
   * @returns null for most of them
   */
  measure(
    logits: Float32Array,
    { kind }: LogitsFormat,
    { decoded, ...settings }: { decoded(): Float32Array; readonly classes: number; readonly temperature: number },
  ): PayloadError | null {
    const isSampled = this.#count++ % sampledEvery === 0 && logits.length > 0 && kind !== "float32";
    return isSampled ? payloadError(logits, decoded(), { ...settings, rows: sampledRows }) : null;
  }
}

/**
 * KL(softmax(logits / T) || softmax(decoded / T)) of so many examples, spread over all of them.
 * @param logits [examples, classes]; decoded alike
 */
export function payloadError(
  logits: Float32Array,
  decoded: Float32Array,
  { classes, temperature, rows }: { classes: number; temperature: number; rows: number },
): PayloadError {
  const examples = logits.length / classes;
  const count = Math.min(rows, examples);
  let error = noPayloadError;
  for (let at = 0; at < count; at++) {
    const from = Math.floor((at * examples) / count) * classes;
    const p = logSoftmax(logits.subarray(from, from + classes), temperature);
    const q = logSoftmax(decoded.subarray(from, from + classes), temperature);
    const divergence = p.reduce((sum, log, index) => sum + Math.exp(log) * (log - q[index]!), 0);
    // Rounding may put what is zero a little below.
    const positive = Math.max(divergence, 0);
    error = addPayloadErrors(error, { examples: 1, sum: positive, max: positive });
  }
  return error;
}

function logSoftmax(logits: Float32Array, temperature: number): Float64Array {
  const total = logSumExp(logits, temperature);
  return Float64Array.from(logits, (value) => value / temperature - total);
}
