/**
 * Makes TensorFlow available to tfjs-node, whose own installer fetches a library of 2022 from where many machines
 * cannot reach. In order: a current wheel through pip, with the addon compiled from the npm package's own sources;
 * the official prebuilt; else WebAssembly. Only `auto` may end there, and says why.
 */
import { join } from "node:path";
import { LimbeckError } from "../../core/errors.ts";
import { attempted, lastAttempt } from "./attempt.ts";
import type { EngineChoice } from "./engine.ts";
import { enginesFolder } from "./environment.ts";
import { hasNvidiaDriver, tensorflowDevice } from "./hardware.ts";
import { installPrebuilt, prebuiltVersion } from "./prebuilt.ts";
import type { InstallOptions, Source, SourceInstall, SourceName } from "./source.ts";
import { tfjsNodeVersion } from "./tfjsnode.ts";
import { installWheel, wheelVersion } from "./wheel.ts";

export interface TensorFlowInstall {
  readonly kind: "tensorflow";
  /** The compiled binding. */
  readonly addon: string;
  readonly version: string;
  /** The library has GPU kernels. */
  readonly cuda: boolean;
  readonly source: SourceName;
  readonly why: string;
}

export type EngineInstall = TensorFlowInstall | { readonly kind: "wasm"; readonly why: string };

const allSources: readonly Source[] = [
  { name: "wheel", version: wheelVersion, install: installWheel },
  { name: "prebuilt", version: prebuiltVersion, install: installPrebuilt },
];

/**
 * LIMBECK_GPU=required, as the image for GPUs has it, turns every choice of TensorFlow into that of a GPU: a worker that finds none
 * is to end, not to train on the CPU for days.
 */
export function wantedEngine(choice: EngineChoice): EngineChoice {
  const told = process.env["LIMBECK_GPU"];
  if (told && told !== "required")
    throw new LimbeckError("usage", `LIMBECK_GPU is ${told}; it can be required, or empty`);
  return told && choice !== "wasm" ? "gpu" : choice;
}

/** How a GPU was asked for, in words. */
export function gpuAsked(): string {
  return process.env["LIMBECK_GPU"] ? "a GPU was asked for (LIMBECK_GPU=required)" : "engine gpu was asked for";
}

/**
 * The engine for a choice, installed if need be (about half a minute), else from the cache.
 * @throws engine_unavailable where TensorFlow or a GPU was asked for and cannot be had
 */
export async function ensureEngine(asked: EngineChoice, options: InstallOptions): Promise<EngineInstall> {
  const choice = wantedEngine(asked);
  const failures: string[] = [];
  for (const source of sourcesFor(choice)) {
    const attempt = await attempted(source, folderOf(source), options);
    if ("install" in attempt) return installed(source, attempt.install, failures);
    failures.push(`${source.name}: ${attempt.failure}`);
  }
  return withoutTensorFlow(choice, failures);
}

/** What the cache holds for this machine, without installing anything. */
export function installedEngine(asked: EngineChoice): EngineInstall {
  const choice = wantedEngine(asked);
  const failures: string[] = [];
  for (const source of sourcesFor(choice)) {
    const attempt = lastAttempt(folderOf(source)) ?? { failure: "not set up on this machine" };
    if ("install" in attempt) return installed(source, attempt.install, failures);
    failures.push(`${source.name}: ${attempt.failure}`);
  }
  return withoutTensorFlow(choice, failures);
}

/** LIMBECK_ENGINE_SOURCE leaves one of them. */
function sourcesFor(choice: EngineChoice): readonly Source[] {
  if (choice === "wasm") return [];
  if (choice === "gpu" && !hasNvidiaDriver()) {
    throw new LimbeckError(
      "engine_unavailable",
      `${gpuAsked()}, but this machine has no NVIDIA driver; ${withoutGpu()}`,
    );
  }
  const wanted = process.env["LIMBECK_ENGINE_SOURCE"];
  const sources = allSources.filter(({ name }) => !wanted || name === wanted);
  if (sources.length > 0) return sources;
  const names = allSources.map(({ name }) => name).join(" or ");
  throw new LimbeckError("usage", `LIMBECK_ENGINE_SOURCE is ${wanted}; it can be ${names}`);
}

function withoutGpu(): string {
  return process.env["LIMBECK_GPU"] ? "unset LIMBECK_GPU to use the CPU" : "choose auto, tensorflow or wasm";
}

/** One folder for all that decides what lies in it. */
function folderOf({ name, version }: Source): string {
  const machine = `${process.platform}-${process.arch}`;
  return join(enginesFolder(), `${name}-${version}-${tensorflowDevice()}-${machine}-tfjs-${tfjsNodeVersion()}-napi8`);
}

function installed(source: Source, install: SourceInstall, failures: readonly string[]): TensorFlowInstall {
  const { addon, version, cuda } = install;
  const why = [install.why, ...failures].join("; ");
  return { kind: "tensorflow", addon: join(folderOf(source), addon), version, cuda, source: source.name, why };
}

function withoutTensorFlow(choice: EngineChoice, failures: readonly string[]): EngineInstall {
  if (choice === "wasm") return { kind: "wasm", why: "asked for" };
  const why = `${failures.join("; ")}; limbeck doctor tries again`;
  if (choice === "auto") return { kind: "wasm", why: `TensorFlow cannot be had here (${why})` };
  throw new LimbeckError("engine_unavailable", `engine ${choice} was asked for and cannot be had (${why})`);
}
