/** An engine in words, and the fingerprint of the bits it computes. */
import { createHash } from "node:crypto";
import { createRequire } from "node:module";
import type { EngineInfo } from "./engine.ts";
import { cpuIdentity, cpuModel, gpuIdentity } from "./hardware.ts";

const { version: tfjsVersion } = createRequire(import.meta.url)("@tensorflow/tfjs/package.json");

export function describeEngine(found: Omit<EngineInfo, "device" | "fingerprint">): EngineInfo {
  const { backend, tensorflowVersion, gpu, threads } = found;
  // WebAssembly rounds the same everywhere.
  const hardware = backend === "wasm" ? "" : gpu ? gpuIdentity() : cpuIdentity();
  const deciding = [backend, tensorflowVersion, tfjsVersion, gpu, threads, process.arch, hardware];
  const fingerprint = createHash("sha256").update(JSON.stringify(deciding)).digest("hex").slice(0, 16);
  return { ...found, device: deviceOf(found), fingerprint };
}

function deviceOf({ gpu, threads }: Pick<EngineInfo, "gpu" | "threads">): string {
  if (gpu) return `GPU ${process.env["CUDA_VISIBLE_DEVICES"] ?? "0"} (${gpuIdentity() || "model unknown"})`;
  return `CPU (${cpuModel()}, ${threads} thread${threads > 1 ? "s" : ""})`;
}
