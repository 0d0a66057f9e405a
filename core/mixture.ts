/** Several teachers as one: the weighted mean of their softened distributions or of their logits, wherever it is taken. */
import type { EnsembleSpec } from "./jobteacher.ts";
import { logSumExp } from "./softmax.ts";

export interface Mixture {
  readonly of: EnsembleSpec["mean"];
  /** T of the distillation: what distributions are softened by. */
  readonly temperature: number;
  /** Of each member, not yet divided by their sum. */
  readonly weights: readonly number[];
}

export function mixtureOf({ ensemble, mean }: EnsembleSpec, temperature: number): Mixture {
  return { of: mean, temperature, weights: ensemble.map(({ weight }) => weight) };
}

/**
 * What decides the mixture: its digest is the sha256 of this (L6).
 * @param members digest of each
 */
export function mixtureIdentity({ of, temperature, weights }: Mixture, members: readonly string[]): string {
  const softened = of === "probabilities" ? [temperature] : [];
  return JSON.stringify([of, ...softened, members.map((sha256, at) => [sha256, weights[at]])]);
}

/**
 * Weighted arithmetic mean of logits, or the logits z = T·log Σ w·softmax(z/T) whose softmax(z/T) is the mean of the
 * members' (Hinton et al. 2015, sections 3 and 5). In float64 on the host, in the order of the members: the same bits on
 * every engine, and wherever the members were computed (L1).
 * @param given logits [rows, classes] of each member, float32
 */
export function mixedLogits(
  given: readonly Float32Array[],
  { of, temperature, weights }: Mixture,
  classes: number,
): Float32Array {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const shares = weights.map((weight) => weight / total);
  const result = new Float32Array(given[0]!.length);
  if (of === "logits") {
    return result.map((_, at) => given.reduce((sum, logits, member) => sum + shares[member]! * logits[at]!, 0));
  }
  for (let row = 0; row < result.length; row += classes) {
    const normalizers = given.map((logits) => logSumExp(logits.subarray(row, row + classes), temperature));
    for (let at = row; at < row + classes; at++) {
      const logs = given.map(
        (logits, member) => Math.log(shares[member]!) + logits[at]! / temperature - normalizers[member]!,
      );
      result[at] = temperature * logSumExp(logs);
    }
  }
  return result;
}
