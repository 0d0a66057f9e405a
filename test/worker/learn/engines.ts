/** One engine for the tests of a process. */
import { LimbeckError } from "../../../core/errors.ts";
import type { Engine, EngineChoice } from "../../../worker/engine/engine.ts";
import { engineEnvironment } from "../../../worker/engine/environment.ts";
import { loadEngine } from "../../../worker/engine/load.ts";

/** The engine, or why this machine has none of the kind. */
export async function openEngine(choice: EngineChoice): Promise<Engine | string> {
  Object.assign(process.env, engineEnvironment(1));
  try {
    return await loadEngine(choice, 1);
  } catch (thrown) {
    if (thrown instanceof LimbeckError && thrown.code === "engine_unavailable") return thrown.message;
    throw thrown;
  }
}
