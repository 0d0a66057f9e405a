/**
 * Makes TensorFlow available to tfjs-node, whose own installer fetches a library of 2022 from where many machines
 * cannot reach. In order: a current wheel through pip, with the addon compiled from the npm package's own sources;
 * the official prebuilt; else WebAssembly. Only `auto` may end there, and says why.
 */
import { join } from "node:path";
import { LimbeckError } from "../../core/errors.ts";
import { attempted, lastAttempt } from "./attempt.ts";
import type { EngineChoice } from "./engine.ts";
import { cacheFolder } from "./environment.ts";
import { hasNvidiaDriver } from "./hardware.ts";
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
 * The engine for a choice, installed if need be (about half a minute), else from the cache.
 * @throws engine_unavailable where TensorFlow or a GPU was asked for and cannot be had
 */
export async function ensureEngine(choice: EngineChoice, options: InstallOptions): Promise<EngineInstall> {
  const failures: string[] = [];
  for (const source of sourcesFor(choice)) {
    const attempt = await attempted(source, folderOf(source), options);
    if ("install" in attempt) return installed(source, attempt.install, failures);
    failures.push(`${source.name}: ${attempt.failure}`);
  }
  return withoutTensorFlow(choice, failures);
}

/** What the cache holds for this machine, without installing anything. */
export function installedEngine(choice: EngineChoice): EngineInstall {
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
      "engine gpu was asked for, but this machine has no NVIDIA driver; choose auto, tensorflow or wasm",
    );
  }
  const wanted = process.env["LIMBECK_ENGINE_SOURCE"];
  const sources = allSources.filter(({ name }) => !wanted || name === wanted);
  if (sources.length > 0) return sources;
  const names = allSources.map(({ name }) => name).join(" or ");
  throw new LimbeckError("usage", `LIMBECK_ENGINE_SOURCE is ${wanted}; it can be ${names}`);
}

/** One folder for all that decides what lies in it. */
function folderOf({ name, version }: Source): string {
  const device = hasNvidiaDriver() ? "cuda" : "cpu";
  const machine = `${process.platform}-${process.arch}`;
  return join(cacheFolder(), "engine", `${name}-${version}-${device}-${machine}-tfjs-${tfjsNodeVersion()}-napi8`);
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
