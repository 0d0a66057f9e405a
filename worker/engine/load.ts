/** Loads an engine into this thread, the compute thread: the only place that touches tfjs-node. */
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import util from "node:util";
import { LimbeckError } from "../../core/errors.ts";
import type { Engine, EngineChoice, SavedModels, TF } from "./engine.ts";
import { describeEngine } from "./identity.ts";
import { gpuAsked, installedEngine, type TensorFlowInstall, wantedEngine } from "./install.ts";
import { type TensorFlowBackend, tensorflowOps } from "./tensorflowops.ts";
import { tfjsNodeFolder } from "./tfjsnode.ts";
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
  // A thread has a copy of the process's environment, made when it started: setting it here would reach no library.
  const told = process.env["TF_NUM_INTRAOP_THREADS"];
  if (told !== String(threads)) {
    const found = told === undefined ? "not set" : told;
    throw new LimbeckError("internal", `TF_NUM_INTRAOP_THREADS is ${found}, the job asks for ${threads} threads`);
  }
  const { tf, savedModels } = await quietly(() => requireTfjsNode(install.addon));
  if (tf.getBackend() !== "tensorflow") {
    throw new LimbeckError("engine_unavailable", `tfjs chose the backend ${tf.getBackend()} instead of tensorflow`);
  }
  const backend = tf.backend() as unknown as TensorFlowBackend;
  const gpu = usesGpu(tf, backend);
  const missing = `TensorFlow ${install.version} uses the CPU: it found no device, or not its CUDA libraries`;
  if (wantedEngine(choice) === "gpu" && !gpu) {
    throw new LimbeckError("engine_unavailable", `${gpuAsked()}, but ${missing}`);
  }
  const why = install.cuda && !gpu ? `${install.why}; ${missing}` : install.why;
  const tensorflowVersion = backend.binding.TF_Version;
  const info = describeEngine({ backend: "tensorflow", tensorflowVersion, gpu, threads, why });
  return { tf, info, ops: tensorflowOps(tf, backend), savedModels };
}

/** tfjs-node finds its addon through node-pre-gyp, which is told where ours lies. */
function requireTfjsNode(addon: string): { tf: TF; savedModels: SavedModels } {
  const own = createRequire(join(tfjsNodeFolder(), "package.json"));
  own("@mapbox/node-pre-gyp/lib/pre-binding").find = () => addon;
  // Node 23 took these from util; tfjs-node 4.22 still calls them.
  const legacy = util as unknown as Record<string, unknown>;
  legacy["isNullOrUndefined"] ??= (value: unknown) => value === null || value === undefined;
  legacy["isArray"] ??= Array.isArray;
  try {
    const { node } = own("@tensorflow/tfjs-node-gpu") as { node: SavedModels };
    return { tf: own("@tensorflow/tfjs") as TF, savedModels: node };
  } catch (cause) {
    const { message } = cause as Error;
    throw new LimbeckError("engine_unavailable", `the binding ${addon} does not load: ${message}`, { cause });
  }
}

/** Whether ops run on a GPU: TensorFlow that finds none uses the CPU without a word. */
function usesGpu(tf: TF, backend: TensorFlowBackend): boolean {
  try {
    // Loads the CUDA libraries, and fails here where one of them does not fit.
    tf.tidy(() => tf.matMul(tf.ones([2, 2]), tf.ones([2, 2])).dataSync());
    return backend.isUsingGpuDevice;
  } catch (cause) {
    const [reason] = (cause as Error).message.split("\n");
    throw new LimbeckError("engine_unavailable", `TensorFlow loads but does not compute: ${reason}`, { cause });
  }
}

async function loadWasm(why: string): Promise<Engine> {
  const tf = await quietly(() => require("@tensorflow/tfjs") as TF);
  const wasm = require("@tensorflow/tfjs-backend-wasm") as { setWasmPaths(folder: string): void };
  wasm.setWasmPaths(join(dirname(require.resolve("@tensorflow/tfjs-backend-wasm/package.json")), "dist/"));
  registerTrainingKernels(tf);
  // setBackend says false and falls back to plain JavaScript without a word.
  const isSet = await quietly(() => tf.setBackend("wasm"));
  if (!isSet || tf.getBackend() !== "wasm") {
    throw new LimbeckError("engine_unavailable", "the WebAssembly backend of tfjs does not start here");
  }
  // Its threads do not work in Node: one instance per worker.
  const info = describeEngine({ backend: "wasm", tensorflowVersion: null, gpu: false, threads: 1, why });
  return { tf, info, ops: wasmOps(tf), savedModels: null };
}

/**
 * tfjs prints advice and a banner while it loads; a worker's output is for what went wrong. Its source maps, megabytes that
 * are read whole, are left out: they would take a third of the time that it takes to load.
 */
async function quietly<T>(work: () => T | Promise<T>): Promise<T> {
  const { warn, log, info, error } = console;
  const { sourceMapsEnabled } = process;
  console.warn = console.log = console.info = console.error = () => {};
  process.setSourceMapsEnabled(false);
  try {
    return await work();
  } finally {
    Object.assign(console, { warn, log, info, error });
    process.setSourceMapsEnabled(sourceMapsEnabled);
  }
}
