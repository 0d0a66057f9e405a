/** The process in which `limbeck doctor` loads and measures the engine: its environment was set before it started. */
import { asLimbeckError } from "../../core/errors.ts";
import { type DoctorAnswer, measureGflops } from "./doctor.ts";
import type { EngineChoice } from "./engine.ts";
import { loadEngine } from "./load.ts";

async function examine(choice: EngineChoice, threads: number): Promise<DoctorAnswer> {
  try {
    const engine = await loadEngine(choice, threads);
    const gflops = Math.round(measureGflops(engine) * 10) / 10;
    return { report: { ...engine.info, node: process.versions.node, gflops } };
  } catch (thrown) {
    const { code, message } = asLimbeckError(thrown);
    return { code, message };
  }
}

const [choice, threads] = process.argv.slice(2);
process.send!(await examine(choice as EngineChoice, Number(threads)));
