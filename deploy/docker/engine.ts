/** Sets TensorFlow up where LIMBECK_ENGINES says, or fails; beside it wheels.json, what it was made from. For build.mjs. */
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { asLimbeckError } from "../../core/errors.ts";
import { enginesFolder } from "../../worker/engine/environment.ts";
import { ensureEngine } from "../../worker/engine/install.ts";

try {
  const engine = await ensureEngine("tensorflow", { failed: "again", log: (line) => console.error(`engine: ${line}`) });
  if (engine.kind !== "tensorflow") throw new Error(engine.why);
  const { install } = JSON.parse(readFileSync(join(dirname(engine.addon), "engine.json"), "utf8"));
  writeFileSync(join(enginesFolder(), "wheels.json"), `${JSON.stringify(install.wheels ?? [], null, 2)}\n`);
} catch (thrown) {
  console.error(`engine: ${asLimbeckError(thrown).message}`);
  process.exitCode = 1;
}
