/** Several teachers as one: the weighted mean of their softened distributions or of their logits. */
import type { EnsembleSpec } from "../../core/jobteacher.ts";
import { logSumExp } from "../../core/softmax.ts";
import { sha256Hex } from "../artifacts/digest.ts";
import type { Inference } from "./inference.ts";

export interface Member {
  readonly model: Inference;
  readonly weight: number;
}

export interface Mean {
  readonly of: EnsembleSpec["mean"];
  /** T of the distillation: what distributions are softened by. */
  readonly temperature: number;
  readonly classes: number;
}

/** Asks all members about the same inputs at once. It owns them from now on. */
export function ensembleOf(members: readonly Member[], mean: Mean): Inference {
  const parts = members.map(({ model, weight }) => [model.sha256, weight]);
  const softened = mean.of === "probabilities" ? [mean.temperature] : [];
  return {
    sha256: sha256Hex(JSON.stringify([mean.of, ...softened, parts])),
    async logits(inputs, count) {
      const given = await Promise.all(members.map(({ model }) => model.logits(inputs, count)));
      return meanLogits(
        given,
        members.map(({ weight }) => weight),
        mean,
      );
    },
    async dispose() {
      await Promise.all(members.map(({ model }) => model.dispose()));
    },
  };
}

/**
 * Weighted arithmetic mean of logits, or the logits z = T·log Σ w·softmax(z/T) whose softmax(z/T) is the mean of the
 * members' (Hinton et al. 2015, sections 3 and 5). In float64 on the host: the same bits on every engine.
 * @param given logits [rows, classes] of each member
 * @param weights of each member, not yet divided by their sum
 */
function meanLogits(given: readonly Float32Array[], weights: readonly number[], mean: Mean): Float32Array {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const shares = weights.map((weight) => weight / total);
  const result = new Float32Array(given[0]!.length);
  if (mean.of === "logits") {
    return result.map((_, at) => given.reduce((sum, logits, member) => sum + shares[member]! * logits[at]!, 0));
  }
  const { temperature, classes } = mean;
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
