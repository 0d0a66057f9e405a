/** The library and binding that tfjs-node's authors publish: TensorFlow 2.9 of 2022, CUDA 11.2. */
import { cp } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { command, narrated } from "./commands.ts";
import { tensorflowDevice } from "./hardware.ts";
import type { Setup, SourceInstall } from "./source.ts";
import { tfjsNodeFolder } from "./tfjsnode.ts";

export const prebuiltVersion = "2.9.1";
const downloadMs = 10 * 60_000;

/** Runs the package's own installer on a copy of it. Throws an Error that says what failed. */
export async function installPrebuilt({ folder, log, signal }: Setup): Promise<SourceInstall> {
  const cuda = tensorflowDevice() === "cuda";
  const original = tfjsNodeFolder();
  const copy = join(folder, "tfjs-node");
  await cp(original, copy, { recursive: true });
  const modules = join(original, "..", "..");
  const env = {
    ...process.env,
    NODE_PATH: modules,
    PATH: [join(modules, ".bin"), process.env["PATH"]].join(delimiter),
  };
  const installer = ["scripts/install.js", cuda ? "gpu" : "cpu", "download"];
  await narrated(`downloading the official prebuilt TensorFlow ${prebuiltVersion}`, copy, log, () =>
    command(process.execPath, installer, { cwd: copy, env, signal, timeoutMs: downloadMs }),
  );
  const addon = join("tfjs-node", "lib", "napi-v8", "tfjs_binding.node");
  const library = (name: string) => join("tfjs-node", "deps", "lib", `${name}.so.${prebuiltVersion}`);
  return {
    addon,
    files: [addon, library("libtensorflow"), library("libtensorflow_framework")],
    version: prebuiltVersion,
    cuda,
    why: `the official prebuilt TensorFlow ${prebuiltVersion}`,
  };
}
