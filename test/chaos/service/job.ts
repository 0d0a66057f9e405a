/** The job that a service runs under faults. */
import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import { effectiveJobYaml, parseJob } from "../../../core/jobfile.ts";
import { packagePath } from "../../../proto/package.ts";

const file = packagePath("test/chaos/chaos.yaml");

export interface ServiceJob {
  /** As the command line takes it. */
  readonly args: readonly string[];
  /** As a service takes it. */
  readonly yaml: string;
}

/** @param steps of the distil stage */
export function serviceJob(steps: number, ...settings: readonly string[]): ServiceJob {
  // WebAssembly starts sooner than TensorFlow.
  const own = [`distil.steps=${steps}`, "teach.steps=20", "engine=wasm", "workers.teachers=1", ...settings];
  const yaml = effectiveJobYaml(parseJob(readFileSync(file, "utf8"), file, own), dirname(file));
  return { args: [file, ...own.flatMap((each) => ["--set", each])], yaml };
}
