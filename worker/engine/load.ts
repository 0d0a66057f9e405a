/** Loads an engine into this thread, the compute thread: the only place that touches tfjs-node. */
import { createRequire } from "node:module";
import { cpus } from "node:os";
import { createHash } from "node:crypto";
import { dirname, join } from "node:path";
import util from "node:util";
import { LimbeckError } from "../../core/errors.ts";
import type { Engine, EngineChoice, EngineInfo, TF } from "./engine.ts";
import { installedEngine, type TensorFlowInstall } from "./install.ts";
import { tensorflowOps, type TensorFlowBackend } from "./tensorflowops.ts";
import { registerTrainingKernels } from "./wasmkernels.ts";
import { wasmOps } from "./wasmops.ts";

const require = createRequire(import.meta.url);

/**
 * Opens the engine that was set up for the choice.
 * @param threads compute threads; the process's environment must say the same (engineEnvironment)
 * @throws engine_unavailable where it does not load, or is not what was asked for
 */
export async function loadEngine(choice: EngineChoice, threads: number): Promise<Engine> {
  const install = installedEngine(choice);
  if (install.kind === "wasm") return await loadWasm(install.why);
  return await loadTensorFlow(install, choice, threads);
}

async function loadTensorFlow(install: TensorFlowInstall, choice: EngineChoice, threads: number): Promise<Engine> {
  const told = process.env["TF_NUM_INTRAOP_THREADS"];
  if (told !== String(threads)) {
    throw new LimbeckError("internal", `TF_NUM_INTRAOP_THREADS is ${told ?? "not set"}, the job asks for ${threads} threads`);
  }
  const tf = quietly(() => requireTfjsNode(install.addon));
  await tf.ready();
  if (tf.getBackend() !== "tensorflow") {
    throw new LimbeckError("engine_unavailable", `tfjs chose the backend ${tf.getBackend()} instead of tensorflow`);
  }
  const backend = tf.backend() as unknown as TensorFlowBackend;
  const gpu = usesGpu(tf, backend);
  if (choice === "gpu" && !gpu) {
    throw new LimbeckError("engine_unavailable", `engine gpu was asked for, but TensorFlow ${install.version} uses the CPU: its CUDA libraries or a device were not found`);
  }
  const info = infoOf({ backend: "tensorflow", tensorflowVersion: backend.binding.TF_Version, gpu, threads, why: install.why });
  return { tf, info, ops: tensorflowOps(tf, backend) };
}

/** tfjs-node finds its addon through node-pre-gyp, which is told where ours lies. */
function requireTfjsNode(addon: string): TF {
  const packageFolder = dirname(require.resolve("@tensorflow/tfjs-node-gpu/package.json"));
  const own = createRequire(join(packageFolder, "package.json"));
  own("@mapbox/node-pre-gyp/lib/pre-binding").find = () => addon;
  // Node 23 took these from util; tfjs-node 4.22 still calls them.
  const legacy = util as unknown as Record<string, unknown>;
  legacy["isNullOrUndefined"] ??= (value: unknown) => value === null || value === undefined;
  legacy["isArray"] ??= Array.isArray;
  try {
    own("@tensorflow/tfjs-node-gpu");
    return own("@tensorflow/tfjs") as TF;
  } catch (cause) {
    throw new LimbeckError("engine_unavailable", `the TensorFlow binding ${addon} does not load: ${(cause as Error).message}`, { cause });
  }
}

/** Where an op really ran: TensorFlow falls back to the CPU without a word. */
function usesGpu(tf: TF, backend: TensorFlowBackend): boolean {
  return tf.tidy(() => {
    tf.matMul(tf.ones([2, 2]), tf.ones([2, 2])).dataSync();
    return backend.isUsingGpuDevice === true;
  });
}

async function loadWasm(why: string): Promise<Engine> {
  const own = createRequire(require.resolve("@tensorflow/tfjs-backend-wasm/package.json"));
  const tf = require("@tensorflow/tfjs") as TF;
  const wasm = own("@tensorflow/tfjs-backend-wasm") as { setWasmPaths(folder: string): void };
  wasm.setWasmPaths(`${dirname(require.resolve("@tensorflow/tfjs-backend-wasm/package.json"))}/dist/`);
  registerTrainingKernels(tf);
  // setBackend says false and falls back to plain JavaScript without a word.
  const isSet = await quietly(() => tf.setBackend("wasm"));
  if (!isSet || tf.getBackend() !== "wasm") {
    throw new LimbeckError("engine_unavailable", "the WebAssembly backend of tfjs does not start here");
  }
  // Its threads do not work in Node: one instance per worker.
  return { tf, info: infoOf({ backend: "wasm", tensorflowVersion: null, gpu: false, threads: 1, why }), ops: wasmOps(tf) };
}

function infoOf(found: Omit<EngineInfo, "device" | "fingerprint">): EngineInfo {
  const model = cpus()[0]?.model.trim() ?? process.arch;
  const device = found.gpu ? `GPU ${process.env["CUDA_VISIBLE_DEVICES"] ?? "0"}` : `CPU (${model}, ${found.threads} thread${found.threads > 1 ? "s" : ""})`;
  const { backend, tensorflowVersion, gpu, threads } = found;
  const deciding = [backend, tensorflowVersion, gpu, threads, process.arch, gpu ? "" : model, require("@tensorflow/tfjs/package.json").version];
  const fingerprint = createHash("sha256").update(JSON.stringify(deciding)).digest("hex").slice(0, 16);
  return { ...found, device, fingerprint };
}

/** tfjs prints advice and a banner while it loads; a worker's output is for what went wrong. */
function quietly<T>(work: () => T): T {
  const { warn, log, info, error } = console;
  console.warn = console.log = console.info = console.error = () => {};
  try {
    return work();
  } finally {
    Object.assign(console, { warn, log, info, error });
  }
}

