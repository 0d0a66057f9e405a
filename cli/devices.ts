/** What `--devices` asks for: one worker process per device. */
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { LimbeckError } from "../core/errors.ts";

export interface DeviceShare {
  /** For the worker's name: "gpu0", "cpu". */
  readonly label: string;
  /** What makes its process see this device alone. */
  readonly env: Readonly<Record<string, string>>;
}

const gpuListMs = 10_000;

/** The GPUs' numbers, as the driver counts them; those of CUDA_VISIBLE_DEVICES where it is set. */
export function findGpus(): readonly string[] {
  const visible = process.env["CUDA_VISIBLE_DEVICES"];
  if (visible !== undefined) return visible.split(",").filter((each) => each !== "" && each !== "-1");
  try {
    const listed = execFileSync("nvidia-smi", ["-L"], { encoding: "utf8", timeout: gpuListMs, stdio: "pipe" });
    return [...listed.matchAll(/^GPU (\d+):/gm)].map(([, number]) => number!);
  } catch {
    const folder = "/proc/driver/nvidia/gpus";
    return existsSync(folder) ? readdirSync(folder).map((_, index) => String(index)) : [];
  }
}

/**
 * @param choice `all`, `cpu`, or numbers of GPUs; undefined: one process that computes on what the job's engine finds
 * @throws LimbeckError `usage` for anything else, and for a GPU that is not there
 */
export function deviceShares(choice: string | undefined, gpus: () => readonly string[] = findGpus): DeviceShare[] {
  const cpu = { label: "cpu", env: { CUDA_VISIBLE_DEVICES: "-1" } };
  if (choice === undefined) return [{ label: gpus().length > 0 ? `gpu${gpus()[0]}` : "cpu", env: {} }];
  if (choice === "cpu") return [cpu];
  const there = gpus();
  if (choice === "all") return there.length > 0 ? there.map(gpuShare) : [cpu];
  const asked = choice.split(",");
  if (!asked.every((each) => /^\d+$/.test(each))) {
    throw new LimbeckError("usage", `--devices must be all, cpu or numbers of GPUs such as 0,1; found ${choice}`);
  }
  const missing = asked.find((each) => !there.includes(each));
  if (missing !== undefined) {
    const found = there.length > 0 ? `the GPUs here are ${there.join(", ")}` : "there is no NVIDIA GPU here";
    throw new LimbeckError("usage", `--devices ${choice}: there is no GPU ${missing}; ${found}`);
  }
  return [...new Set(asked)].map(gpuShare);
}

function gpuShare(number: string): DeviceShare {
  return { label: `gpu${number}`, env: { CUDA_VISIBLE_DEVICES: number } };
}
