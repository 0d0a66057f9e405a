/** The library and binding that tfjs-node's authors publish: TensorFlow 2.9 of 2022. */
import { execFile } from "node:child_process";
import { cp } from "node:fs/promises";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import type { TensorFlowInstall } from "./install.ts";
import { hasNvidiaDriver } from "./wheel.ts";

const prebuiltVersion = "2.9.1";
const downloadMs = 5 * 60_000;

/** Runs the package's own installer on a copy of it. Throws an Error that says what failed. */
export async function installPrebuilt(fresh: string, folder: string, log: (line: string) => void): Promise<TensorFlowInstall> {
  const cuda = hasNvidiaDriver();
  const original = dirname(createRequire(import.meta.url).resolve("@tensorflow/tfjs-node-gpu/package.json"));
  const copy = join(fresh, "node_modules", "tfjs-node");
  log(`trying the official prebuilt TensorFlow ${prebuiltVersion} ...`);
  await cp(original, copy, { recursive: true });
  try {
    await promisify(execFile)(process.execPath, ["scripts/install.js", cuda ? "gpu" : "cpu", "download"], {
      cwd: copy,
      timeout: downloadMs,
      env: { ...process.env, NODE_PATH: join(original, "..", "..") },
    });
  } catch (thrown) {
    const { stderr = "", message } = thrown as { stderr?: string; message: string };
    const reason = /getaddrinfo \S+|connect \S+|ENOTFOUND|ETIMEDOUT|status code \d+/.exec(stderr + message)?.[0];
    throw new Error(`its installer failed${reason ? ` (${reason})` : ""}`);
  }
  const addon = join("node_modules", "tfjs-node", "lib", "napi-v8", "tfjs_binding.node");
  if (!existsSync(join(fresh, addon))) throw new Error("its installer left no binding");
  return { kind: "tensorflow", addon: join(folder, addon), version: prebuiltVersion, cuda, source: "prebuilt", why: `the official prebuilt TensorFlow ${prebuiltVersion}` };
}
