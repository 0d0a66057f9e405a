/** The table of targets. Each is imported by the process that reads its inputs, and by no other. */
import { createRequire } from "node:module";
import type { Target } from "./target.ts";

const targets: Readonly<Record<string, () => Promise<{ readonly target: Target }>>> = {
  job: () => import("./targets/job.ts"),
  sources: () => import("./targets/sources.ts"),
  idx: () => import("./targets/idx.ts"),
  csv: () => import("./targets/csv.ts"),
  safetensors: () => import("./targets/safetensors.ts"),
  checkpoint: () => import("./targets/checkpoint.ts"),
  layers: () => import("./targets/layers.ts"),
  graph: () => import("./targets/graph.ts"),
  onnx: () => import("./targets/onnx.ts"),
  server: () => import("./targets/server.ts"),
  cache: () => import("./targets/cache.ts"),
  journal: () => import("./targets/journal.ts"),
  store: () => import("./targets/store.ts"),
  depot: () => import("./targets/depot.ts"),
  run: () => import("./targets/run.ts"),
  report: () => import("./targets/report.ts"),
  plan: () => import("./targets/plan.ts"),
  token: () => import("./targets/token.ts"),
  certificates: () => import("./targets/certificates.ts"),
};

/** Readers with faults, which must be found. Not in the table. */
const planted = "planted";

/** Those whose reader is there: onnxruntime need not be installed. */
export const targetNames: readonly string[] = Object.keys(targets).filter((name) => name !== "onnx" || hasOnnx());

function hasOnnx(): boolean {
  try {
    return createRequire(import.meta.url).resolve("onnxruntime-node") !== "";
  } catch {
    return false;
  }
}

export async function targetNamed(name: string): Promise<Target> {
  const load = name === planted ? () => import("./targets/planted.ts") : targets[name];
  if (!load) throw new Error(`there is no target ${name}`);
  return (await load()).target;
}
