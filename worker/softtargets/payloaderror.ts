/** What a format costs: how far the soft targets that arrive are from those the teacher gave. */
import { logSumExp } from "../../core/softmax.ts";

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
