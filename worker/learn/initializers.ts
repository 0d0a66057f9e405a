/** Initial kernels by the activation that follows. */
import type { MlpSpec } from "../../core/jobparts.ts";

/** He et al. 2015 for the relu family, LeCun for selu (Klambauer et al. 2017), Glorot and Bengio 2010 for the rest. */
export function initializerFor(activation: MlpSpec["activation"]): "heNormal" | "leCunNormal" | "glorotUniform" {
  switch (activation) {
    case "relu":
    case "elu":
      return "heNormal";
    case "selu":
      return "leCunNormal";
    case "tanh":
    case "sigmoid":
    case "linear":
      return "glorotUniform";
  }
}
