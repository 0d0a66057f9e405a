/**
 * Makes TensorFlow available to tfjs-node, whose own installer fetches a library of 2022 from where many machines
 * cannot reach. In order: a current wheel through pip, with the addon compiled from the npm package's own sources;
 * the official prebuilt; else WebAssembly. Only `auto` may end there, and says why.
 */
import { existsSync, readFileSync } from "node:fs";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { LimbeckError } from "../../core/errors.ts";
import type { EngineChoice } from "./engine.ts";
import { cacheFolder } from "./environment.ts";
import { withLock } from "./lock.ts";
import { installPrebuilt } from "./prebuilt.ts";
import { hasNvidiaDriver, installWheel, wheelVersion } from "./wheel.ts";

export interface TensorFlowInstall {
  readonly kind: "tensorflow";
  /** The compiled binding. */
  readonly addon: string;
  readonly version: string;
  /** The library has GPU kernels. */
  readonly cuda: boolean;
  readonly source: "wheel" | "prebuilt";
  readonly why: string;
}

export type EngineInstall = TensorFlowInstall | { readonly kind: "wasm"; readonly why: string };

export interface InstallOptions {
  log(line: string): void;
}

/** What an attempt left: an install, or why there is none. Kept, so that a machine without TensorFlow is not slow every time. */
type Record = { readonly install: TensorFlowInstall } | { readonly failure: string; readonly atMs: number };

const retryFailureMs = 60 * 60_000;

/**
 * The engine for a choice, installed if need be (about half a minute), else from the cache.
 * @throws engine_unavailable where TensorFlow or a GPU was asked for and cannot be had
 */
export async function ensureEngine(choice: EngineChoice, options: InstallOptions): Promise<EngineInstall> {
  if (choice === "wasm") return { kind: "wasm", why: "asked for" };
  if (choice === "gpu" && !hasNvidiaDriver()) {
    throw new LimbeckError("engine_unavailable", "engine gpu was asked for, but this machine has no NVIDIA driver; choose auto, tensorflow or wasm");
  }
  const record = await ensureTensorFlow(options);
  if ("install" in record) return record.install;
  if (choice === "auto") return { kind: "wasm", why: `TensorFlow cannot be had here: ${record.failure}` };
  throw new LimbeckError("engine_unavailable", `engine ${choice} was asked for and cannot be had: ${record.failure}`);
}

/** What the cache holds for this machine, without installing anything. */
export function installedEngine(choice: EngineChoice): EngineInstall {
  if (choice === "wasm") return { kind: "wasm", why: "asked for" };
  const record = readRecord(engineFolder());
  if (record && "install" in record) return record.install;
  const why = record ? `TensorFlow cannot be had here: ${record.failure}` : "TensorFlow has not been set up here: run limbeck doctor";
  if (choice === "auto") return { kind: "wasm", why };
  throw new LimbeckError("engine_unavailable", `engine ${choice} was asked for and cannot be had: ${why}`);
}

function engineFolder(): string {
  const kind = hasNvidiaDriver() ? "cuda" : "cpu";
  return join(cacheFolder(), "engine", `tensorflow-${wheelVersion}-${kind}-${process.platform}-${process.arch}-napi8`);
}

async function ensureTensorFlow(options: InstallOptions): Promise<Record> {
  const folder = engineFolder();
  const known = readRecord(folder);
  if (known && isCurrent(known)) return known;
  await mkdir(join(folder, ".."), { recursive: true });
  return withLock(`${folder}.lock`, options.log, async () => {
    const meanwhile = readRecord(folder);
    if (meanwhile && isCurrent(meanwhile)) return meanwhile;
    return await install(folder, options);
  });
}

function readRecord(folder: string): Record | null {
  const file = join(folder, "engine.json");
  if (!existsSync(file)) return null;
  return JSON.parse(readFileSync(file, "utf8")) as Record;
}

function isCurrent(record: Record): boolean {
  if ("install" in record) return existsSync(record.install.addon);
  return Date.now() - record.atMs < retryFailureMs;
}

async function install(folder: string, options: InstallOptions): Promise<Record> {
  const failures: string[] = [];
  for (const [name, attempt] of [["wheel", installWheel], ["prebuilt", installPrebuilt]] as const) {
    const fresh = `${folder}.tmp-${process.pid}`;
    await rm(fresh, { recursive: true, force: true });
    await mkdir(fresh, { recursive: true });
    try {
      const made = await attempt(fresh, folder, options.log);
      await writeFile(join(fresh, "engine.json"), JSON.stringify({ install: made }));
      await replace(fresh, folder); // L4: the folder appears whole, its record in it.
      return { install: made };
    } catch (thrown) {
      failures.push(`${name}: ${(thrown as Error).message}`);
      await rm(fresh, { recursive: true, force: true });
    }
  }
  const record: Record = { failure: failures.join("; "), atMs: Date.now() };
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "engine.json"), JSON.stringify(record));
  return record;
}

async function replace(fresh: string, folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await rename(fresh, folder);
}
