/** `limbeck doctor`: what computes here, why that, and how fast. */
import Table from "cli-table3";
import pc from "picocolors";
import { doctor as examine } from "../worker/engine/doctor.ts";
import type { EngineChoice } from "../worker/engine/engine.ts";

export async function doctor(options: { engine: EngineChoice; threads: number; json?: boolean }): Promise<void> {
  const report = await examine({
    choice: options.engine,
    threads: options.threads,
    log: (line) => process.stderr.write(`${line}\n`),
  });
  if (options.json) {
    process.stdout.write(`${JSON.stringify(report)}\n`);
    return;
  }
  const table = new Table({ style: { border: pc.isColorSupported ? ["gray"] : [] } });
  for (const [name, value] of Object.entries(report)) table.push([name, String(value)]);
  process.stdout.write(`${table.toString()}\n`);
}
