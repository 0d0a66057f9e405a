/** A current TensorFlow wheel, and tfjs-node's binding compiled against it. */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readdir, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import type { TensorFlowInstall } from "./install.ts";

const run = promisify(execFile);

export const wheelVersion = "2.21.0";

/** Of a 274 MB download on a slow line; then of unpacking and compiling. */
const downloadMs = 15 * 60_000;
const buildMs = 5 * 60_000;

export function hasNvidiaDriver(): boolean {
  return existsSync("/proc/driver/nvidia/version") || existsSync("/dev/nvidia0");
}

/** Downloads, unpacks and compiles into `fresh`, which will be renamed to `folder`. Throws an Error that says what failed. */
export async function installWheel(fresh: string, folder: string, log: (line: string) => void): Promise<TensorFlowInstall> {
  const cuda = hasNvidiaDriver();
  const site = join(fresh, "site-packages");
  await mkdir(site);
  log(`downloading TensorFlow ${wheelVersion}${cuda ? " with CUDA" : ""} through pip (270 MB${cuda ? " and more" : ""}) ...`);
  const wheels = join(fresh, "wheels");
  await pipDownload(cuda, wheels);
  log("unpacking TensorFlow ...");
  for (const wheel of await readdir(wheels)) await unpack(join(wheels, wheel), site);
  await rm(wheels, { recursive: true });
  log("compiling the TensorFlow binding ...");
  await compile(site, join(fresh, "tfjs_binding.node"), join(folder, "site-packages", "tensorflow"));
  const addon = join(folder, "tfjs_binding.node");
  return { kind: "tensorflow", addon, version: wheelVersion, cuda, source: "wheel", why: `TensorFlow ${wheelVersion} from a wheel, the binding compiled here` };
}

async function pipDownload(cuda: boolean, wheels: string): Promise<void> {
  // With CUDA the nvidia-* wheels are dependencies and must come too.
  const what = cuda ? [`tensorflow[and-cuda]==${wheelVersion}`] : ["--no-deps", `tensorflow-cpu==${wheelVersion}`];
  const args = ["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--only-binary=:all:", "--retries", "0", "--timeout", "30", "--dest", wheels, ...what];
  await command("python3", args, downloadMs);
}

/**
 * Unpacks what is needed of a wheel, as real files in the layout of site-packages: TensorFlow finds CUDA by
 * `$ORIGIN/../nvidia/…/lib`, and through a symlink `$ORIGIN` would be another folder.
 */
async function unpack(wheel: string, site: string): Promise<void> {
  const script = [
    "import sys, zipfile",
    "z = zipfile.ZipFile(sys.argv[1])",
    "keep = ('tensorflow/include/', 'tensorflow/libtensorflow_cc.so.2', 'tensorflow/libtensorflow_framework.so.2', 'nvidia/')",
    "z.extractall(sys.argv[2], [n for n in z.namelist() if n.startswith(keep)])",
  ].join("\n");
  await command("python3", ["-c", script, wheel, site], buildMs);
}

/** @param finalFolder where the libraries will lie when the folder has its name: what the addon's rpath says */
async function compile(site: string, addon: string, finalFolder: string): Promise<void> {
  const tensorflow = join(site, "tensorflow");
  const binding = join(dirname(createRequire(import.meta.url).resolve("@tensorflow/tfjs-node-gpu/package.json")), "binding");
  const libraries = ["libtensorflow_cc.so.2", "libtensorflow_framework.so.2"].map((name) => join(tensorflow, name));
  const sources = ["tfjs_backend.cc", "tfjs_binding.cc"].map((name) => join(binding, name));
  const flags = ["-shared", "-fPIC", "-O2", "-std=c++17", "-DNAPI_VERSION=8", `-I${nodeHeaders()}`, `-I${join(tensorflow, "include")}`];
  await command("g++", [...flags, ...sources, "-o", addon, ...libraries, `-Wl,-rpath,${finalFolder}`], buildMs);
}

/** The folder of node_api.h. Only N-API is used, so any version's headers do. */
function nodeHeaders(): string {
  const prefix = dirname(dirname(process.execPath));
  const candidates = [join(prefix, "include", "node"), "/usr/include/node", "/usr/local/include/node"];
  const found = candidates.find((folder) => existsSync(join(folder, "node_api.h")));
  if (!found) throw new Error(`Node's headers (node_api.h) are in none of ${candidates.join(", ")}`);
  return found;
}

async function command(name: string, args: readonly string[], timeout: number): Promise<void> {
  try {
    await run(name, args, { timeout, maxBuffer: 1 << 26 });
  } catch (thrown) {
    const { code, stderr, killed } = thrown as { code?: string | number; stderr?: string; killed?: boolean };
    if (code === "ENOENT") throw new Error(`${name} is not installed`);
    if (killed) throw new Error(`${name} took longer than ${timeout / 1000} s`);
    const last = (stderr ?? "").trim().split("\n").filter((line) => /error/i.test(line)).at(-1) ?? String(stderr ?? "").trim().split("\n").at(-1);
    throw new Error(`${name} ended with code ${code}: ${last}`);
  }
}
