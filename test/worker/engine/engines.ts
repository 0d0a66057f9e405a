/** The engine for a test file's process. */
import { test } from "node:test";
import type { Engine } from "../../../worker/engine/engine.ts";
import { engineEnvironment } from "../../../worker/engine/environment.ts";
import { installedEngine } from "../../../worker/engine/install.ts";
import { loadEngine } from "../../../worker/engine/load.ts";

/** Two, so that adds of long vectors are shared between TensorFlow's threads. */
export const threads = 2;

/** Runs the claims on TensorFlow. Only where `auto` has none here either are they skipped: a broken one is a failure. */
export async function onTensorFlow(claims: (engine: Engine) => void): Promise<void> {
  const found = installedEngine("auto");
  if (found.kind === "wasm") {
    test("everything on tensorflow", { skip: found.why });
    return;
  }
  Object.assign(process.env, engineEnvironment(threads));
  claims(await loadEngine("tensorflow", threads));
}

export async function onWasm(claims: (engine: Engine) => void): Promise<void> {
  claims(await loadEngine("wasm", 1));
}
