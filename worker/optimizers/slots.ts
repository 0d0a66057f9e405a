/** What an optimizer remembers between updates. */
import type { OptimizerSpec } from "../../core/jobparts.ts";

/** Names of the optimizer's state vectors, each as long as the trainable part. */
export function optimizerSlots(spec: OptimizerSpec | null): readonly string[] {
  switch (spec?.kind) {
    case undefined:
    case "sgd":
      return [];
    case "momentum":
      return ["velocity"];
    case "adam":
    case "adamw":
      return ["firstMoment", "secondMoment"];
  }
}
