/** `module:`, a model built by the user's own TypeScript or JavaScript. */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type * as tfjs from "@tensorflow/tfjs";
import { LimbeckError } from "../../core/errors.ts";
import { statFile } from "../../proto/files.ts";
import type { TF } from "../engine/engine.ts";
import { reasonOf } from "./reason.ts";

/** What the module's default export is given. */
export interface ModuleInput {
  readonly tf: TF;
  readonly inputShape: readonly number[];
  readonly classes: number;
}

export type ModelModule = (input: ModuleInput) => tfjs.LayersModel | Promise<tfjs.LayersModel>;

export interface LoadedModule {
  /** For messages. */
  readonly path: string;
  /** Draws the model's weights from Math.random. Throws `bad_model` where the module does or returns no model. */
  build(input: ModuleInput): Promise<tfjs.LayersModel>;
}

/**
 * Imports the module without calling it: what an import draws from Math.random depends on caches.
 * @throws LimbeckError `bad_model` naming the file and the reason
 */
export async function loadModule(jobFolder: string, module: string): Promise<LoadedModule> {
  const path = resolve(jobFolder, module);
  if (!existsSync(path)) throw new LimbeckError("bad_model", `there is no model module ${path}`);
  const loaded = await imported(path).catch((cause: unknown) => {
    throw new LimbeckError("bad_model", `the model module ${path} cannot be imported: ${reasonOf(cause)}`, { cause });
  });
  const make = defaultOf(loaded);
  if (typeof make !== "function") {
    const message = `the model module ${path} has no default export that is a function ({tf, inputShape, classes}) => tf.LayersModel`;
    throw new LimbeckError("bad_model", message);
  }
  return { path, build: (input) => buildWith(path, make as ModelModule, input) };
}

async function imported(path: string): Promise<{ readonly default?: unknown }> {
  await statFile(path);
  // Every worker would start a tenth of a second later with it.
  const { tsImport } = await import("tsx/esm/api");
  return await tsImport(pathToFileURL(path).href, import.meta.url);
}

async function buildWith(path: string, make: ModelModule, input: ModuleInput): Promise<tfjs.LayersModel> {
  let model: unknown;
  try {
    model = await make(input);
  } catch (cause) {
    throw new LimbeckError("bad_model", `the model module ${path} threw: ${reasonOf(cause)}`, { cause });
  }
  if (model instanceof input.tf.LayersModel) return model;
  const got =
    model === null || typeof model !== "object" ? String(model) : `a ${model.constructor?.name ?? "plain object"}`;
  throw new LimbeckError("bad_model", `the model module ${path} returned ${got}, not a tf.LayersModel`);
}

/** In a folder whose package.json does not say "module", the import wraps the exports once more. */
function defaultOf(loaded: { readonly default?: unknown }): unknown {
  const inner = loaded.default;
  return typeof inner === "object" && inner !== null && "default" in inner ? inner.default : inner;
}
