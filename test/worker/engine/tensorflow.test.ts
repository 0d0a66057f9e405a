import { addClaims } from "./addclaims.ts";
import { batchNormClaims } from "./batchnormclaims.ts";
import { denseClaims } from "./denseclaims.ts";
import { onTensorFlow } from "./engines.ts";
import { opsClaims } from "./opsclaims.ts";

await onTensorFlow((engine) => {
  for (const claims of [opsClaims, batchNormClaims, addClaims, denseClaims]) claims(engine);
});
