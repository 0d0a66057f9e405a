/** What of this machine decides which engine it gets, and which bits that computes. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { cpus } from "node:os";
import { delimiter, join } from "node:path";
import { LimbeckError } from "../../core/errors.ts";

/** Told without starting a process: it is asked on every start. */
export function hasNvidiaDriver(): boolean {
  if (existsSync("/proc/driver/nvidia/version") || existsSync("/dev/nvidia0")) return true;
  return (process.env["PATH"] ?? "").split(delimiter).some((folder) => existsSync(join(folder, "nvidia-smi")));
}

/**
 * Which of TensorFlow's libraries this machine gets. LIMBECK_ENGINE_DEVICE tells it where no driver can: an image for GPUs is
 * built on a machine without one.
 */
export function tensorflowDevice(): "cpu" | "cuda" {
  const told = process.env["LIMBECK_ENGINE_DEVICE"];
  if (!told) return hasNvidiaDriver() ? "cuda" : "cpu";
  if (told === "cpu" || told === "cuda") return told;
  throw new LimbeckError("usage", `LIMBECK_ENGINE_DEVICE is ${told}; it can be cpu or cuda`);
}

export function cpuModel(): string {
  return cpus()[0]?.model.trim() || process.arch;
}

/** Model, vector instructions and cache size: TensorFlow chooses its kernels and their blocks by these. */
export function cpuIdentity(): string {
  const lines = readLines("/proc/cpuinfo");
  const value = (name: RegExp) =>
    lines
      .find((line) => name.test(line))
      ?.split(":")[1]
      ?.trim() ?? "";
  const vectors = /^(ss?se|avx|fma|f16c|amx|asimd|sve|bf16|i8mm)/;
  const flags = value(/^(flags|Features)\b/).split(" ");
  return [cpuModel(), value(/^cache size/), ...flags.filter((flag) => vectors.test(flag)).sort()].join(" ");
}

/** Models of the machine's GPUs and the driver that compiles for them; empty where the driver does not tell. */
export function gpuIdentity(): string {
  const folder = "/proc/driver/nvidia/gpus";
  const names = existsSync(folder) ? readdirSync(folder) : [];
  const models = names.flatMap((name) =>
    readLines(join(folder, name, "information")).filter((line) => /^Model:/.test(line)),
  );
  const model = models.map((line) => line.slice("Model:".length).trim());
  const [driver = ""] = readLines("/proc/driver/nvidia/version");
  return [...new Set(model), driver].join(" ").trim();
}

function readLines(file: string): readonly string[] {
  return existsSync(file) ? readFileSync(file, "utf8").split("\n") : [];
}
