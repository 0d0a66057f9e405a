/** The process in which `limbeck doctor` loads and measures the engine: its environment was set before it started. */
import { asLimbeckError } from "../../core/errors.ts";
import { measureGflops } from "./doctor.ts";
import type { EngineChoice } from "./engine.ts";
import { loadEngine } from "./load.ts";

const [choice, threads] = process.argv.slice(2) as [EngineChoice, string];
try {
  const engine = await loadEngine(choice, Number(threads));
  const gflops = Math.round(measureGflops(engine));
  process.send!({ report: { ...engine.info, node: process.versions.node, gflops } });
} catch (thrown) {
  const { code, message } = asLimbeckError(thrown);
  process.send!({ code, message });
}
