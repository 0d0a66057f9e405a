import { batchNormClaims } from "./batchnormclaims.ts";
import { onWasm } from "./engines.ts";
import { opsClaims } from "./opsclaims.ts";
import { wasmKernelClaims } from "./wasmkernelclaims.ts";

await onWasm((engine) => {
  for (const claims of [opsClaims, batchNormClaims, wasmKernelClaims]) claims(engine);
});
