/** Where the npm package lies whose binding, backend and installer are used. */
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { LimbeckError } from "../../core/errors.ts";

const name = "@tensorflow/tfjs-node-gpu";

/** @throws engine_unavailable where npm left it out */
export function tfjsNodeFolder(): string {
  try {
    return dirname(createRequire(import.meta.url).resolve(`${name}/package.json`));
  } catch (cause) {
    throw new LimbeckError("engine_unavailable", `the npm package ${name} is not installed: run npm ci`, { cause });
  }
}

export function tfjsNodeVersion(): string {
  return JSON.parse(readFileSync(join(tfjsNodeFolder(), "package.json"), "utf8")).version;
}

/** The addon is loaded in a process of its own: one that does not load here is no install. */
export const loadsAddon = "process.dlopen({ exports: {} }, process.argv[1])";

/** The folder of node_api.h. Only N-API is used, so any version's headers do. */
export function nodeHeaders(): string {
  const prefixes = [dirname(dirname(process.execPath)), process.env["npm_config_nodedir"], "/usr", "/usr/local"];
  const candidates = prefixes.filter((prefix) => prefix !== undefined).map((prefix) => join(prefix, "include", "node"));
  const found = candidates.find((folder) => existsSync(join(folder, "node_api.h")));
  if (!found) throw new Error(`Node's headers (node_api.h) are in none of ${candidates.join(", ")}`);
  return found;
}
