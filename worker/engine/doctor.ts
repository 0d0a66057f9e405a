/** What computes on this machine, and how fast: `limbeck doctor`. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { LimbeckError, type LimbeckErrorCode } from "../../core/errors.ts";
import type { Engine, EngineChoice, EngineInfo } from "./engine.ts";
import { engineEnvironment, processEnvironment } from "./environment.ts";
import { ensureEngine } from "./install.ts";

export interface DoctorReport extends EngineInfo {
  readonly node: string;
  /** Measured: the single-precision product of two square matrices. */
  readonly gflops: number;
}

export interface DoctorOptions {
  readonly choice: EngineChoice;
  readonly threads: number;
  log(line: string): void;
}

/** What doctorprocess.ts sends. */
export type DoctorAnswer =
  | { readonly report: DoctorReport }
  | { readonly code: LimbeckErrorCode; readonly message: string };

/** A GPU newer than its kernels has them compiled at first use, which takes minutes. */
const answerMs = 20 * 60_000;
const keptStderr = 2000;

/** Sets the engine up if need be, loads it in a process of its own, as a worker would, and measures it. */
export async function doctor({ choice, threads, log }: DoctorOptions): Promise<DoctorReport> {
  await ensureEngine(choice, { log, failed: "again" });
  log("measuring ...");
  // TensorFlow and glibc read these when the process starts.
  const env = { ...process.env, ...processEnvironment(), ...engineEnvironment(threads) };
  const program = fileURLToPath(new URL("./doctorprocess.js", import.meta.url));
  // TensorFlow notes on stderr, unasked, which optimizations it uses: shown only where the process dies.
  const child = fork(program, [choice, String(threads)], { env, stdio: ["ignore", "ignore", "pipe", "ipc"] });
  try {
    const answer = await answerOf(child);
    if ("code" in answer) throw new LimbeckError(answer.code, answer.message);
    return answer.report;
  } finally {
    child.kill();
  }
}

async function answerOf(child: ChildProcess): Promise<DoctorAnswer> {
  let words = "";
  child.stderr!.setEncoding("utf8").on("data", (text: string) => {
    words = (words + text).slice(-keptStderr);
  });
  const settled = new AbortController();
  const { signal } = settled;
  const deadline = setTimeout(() => {
    settled.abort(new LimbeckError("timeout", `the engine did not answer within ${answerMs / 60_000} minutes`));
  }, answerMs);
  const answered = once(child, "message", { signal }).then(([answer]) => answer as DoctorAnswer);
  const died = once(child, "exit", { signal }).then(([code, killer]) => {
    const how = [killer ?? `code ${code}`, words.trim()].join("\n").trim();
    throw new LimbeckError("engine_unavailable", `the process that loads the engine ended with ${how}`);
  });
  died.catch(() => undefined); // Of no interest once there is an answer.
  try {
    return await Promise.race([answered, died]);
  } catch (thrown) {
    throw signal.aborted ? signal.reason : thrown;
  } finally {
    clearTimeout(deadline);
    settled.abort();
  }
}

const atLeastMs = 1000;

/** GFLOP/s of a matrix product, over about a second. */
export function measureGflops({ tf, ops, info }: Engine): number {
  // Large enough that a GPU does not wait for its next order.
  const side = info.gpu ? 8192 : 1024;
  return tf.tidy(() => {
    const a = ops.uniform([side, side], [1, 2]);
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
