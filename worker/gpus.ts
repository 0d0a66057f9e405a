/** What nvidia-smi says of the GPUs that this process may see; nothing where it is not there. */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

/** null where the driver does not say. */
export interface Gpu {
  /** Its number, as the driver counts. */
  readonly gpu: string;
  /** In [0, 1]. */
  readonly utilisation: number | null;
  readonly usedBytes: number | null;
  readonly totalBytes: number | null;
}

const everySeconds = 10;
const fields = "index,utilization.gpu,memory.used,memory.total";
const mebibyte = 2 ** 20;

/**
 * Leaves nvidia-smi running, which looks every few seconds: to start it takes the driver longer than to answer.
 * @param found told what was last seen of all GPUs; of none when nvidia-smi has gone
 * @returns ends it
 */
export function watchGpus(found: (gpus: readonly Gpu[]) => void): () => void {
  const visible = process.env["CUDA_VISIBLE_DEVICES"];
  const isNone = visible !== undefined && (visible === "" || visible.startsWith("-"));
  if (isNone) return () => {};
  const only = visible === undefined ? [] : [`--id=${visible}`];
  const args = [`--query-gpu=${fields}`, "--format=csv,noheader,nounits", `--loop=${everySeconds}`, ...only];
  const child = spawn("nvidia-smi", args, { stdio: ["ignore", "pipe", "ignore"] });
  const gpus = new Map<string, Gpu>();
  createInterface({ input: child.stdout }).on("line", (line) => {
    const gpu = parse(line);
    if (!gpu) return;
    gpus.set(gpu.gpu, gpu);
    found([...gpus.values()]);
  });
  child.once("error", () => {}); // It is not there.
  child.once("close", () => found([]));
  child.unref();
  return () => void child.kill();
}

function parse(line: string): Gpu | null {
  const [gpu = "", ...numbers] = line.split(",").map((part) => part.trim());
  // What a GPU does not measure is "[N/A]".
  const [percent, used, total] = numbers.map((text) => (/^\d+(\.\d+)?$/.test(text) ? Number(text) : null));
  if (!/^\d+$/.test(gpu) || percent === undefined || used === undefined || total === undefined) return null;
  const bytes = (mebibytes: number | null) => mebibytes && mebibytes * mebibyte;
  return {
    gpu,
    utilisation: percent === null ? null : percent / 100,
    usedBytes: bytes(used),
    totalBytes: bytes(total),
  };
}
