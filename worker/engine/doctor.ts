/** What computes on this machine, and how fast: `limbeck doctor`. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { LimbeckError, type LimbeckErrorCode } from "../../core/errors.ts";
import type { Engine, EngineChoice, EngineInfo } from "./engine.ts";
import { engineEnvironment, processEnvironment } from "./environment.ts";
import { ensureEngine } from "./install.ts";

export interface DoctorReport extends EngineInfo {
  readonly node: string;
  /** Measured: single-precision matrix product of 1024 by 1024. */
  readonly gflops: number;
}

export interface DoctorOptions {
  readonly choice: EngineChoice;
  readonly threads: number;
  log(line: string): void;
}

const measureMs = 60_000;

/** Sets the engine up if need be, loads it in a process of its own, as a worker would, and measures it. */
export async function doctor({ choice, threads, log }: DoctorOptions): Promise<DoctorReport> {
  await ensureEngine(choice, { log });
  const env = { ...process.env, ...processEnvironment(), ...engineEnvironment(threads) };
  const child = fork(fileURLToPath(new URL("./doctorprocess.js", import.meta.url)), [choice, String(threads)], { env });
  try {
    const [answer] = (await once(child, "message", { signal: AbortSignal.timeout(measureMs) })) as [{ report: DoctorReport } | { code: LimbeckErrorCode; message: string }];
    if ("code" in answer) throw new LimbeckError(answer.code, answer.message);
    return answer.report;
  } finally {
    child.kill();
  }
}

const side = 1024;
const atLeastMs = 1000;

/** GFLOP/s of a matrix product, over about a second. */
export function measureGflops({ tf }: Engine): number {
  return tf.tidy(() => {
    const a = tf.randomUniform([side, side], -1, 1, "float32", 1);
    const product = () => tf.tidy(() => tf.matMul(a, a).slice([0, 0], [1, 1]).dataSync());
    product(); // Warm-up: a GPU compiles and copies.
    const start = performance.now();
    let products = 0;
    while (performance.now() - start < atLeastMs) {
      product();
      products++;
    }
    return (products * 2 * side ** 3) / ((performance.now() - start) * 1e6);
  });
}
