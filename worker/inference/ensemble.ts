/** Several teachers as one, all asked by the same worker. */
import { type Mixture, mixedLogits, mixtureIdentity } from "../../core/mixture.ts";
import { sha256Hex } from "../artifacts/digest.ts";
import type { Inference } from "./inference.ts";

/** Asks all members about the same inputs at once. It owns them from now on. @param members in the order of the weights */
export function ensembleOf(members: readonly Inference[], mixture: Mixture, classes: number): Inference {
  return {
    sha256: sha256Hex(
      mixtureIdentity(
        mixture,
        members.map(({ sha256 }) => sha256),
      ),
    ),
    async logits(inputs, count) {
      const given = await Promise.all(members.map((member) => member.logits(inputs, count)));
      return mixedLogits(given, mixture, classes);
    },
    async dispose() {
      await Promise.all(members.map((member) => member.dispose()));
    },
  };
}
