/** A current TensorFlow from its Python wheel, and tfjs-node's binding compiled against it. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, readdir, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { command, narrated } from "./commands.ts";
import { tensorflowDevice } from "./hardware.ts";
import type { Setup, SourceInstall, Wheel } from "./source.ts";
import { nodeHeaders, tfjsNodeFolder } from "./tfjsnode.ts";

export const wheelVersion = "2.21.0";

/** Of 274 MB, or some GB with CUDA, on a slow line; then of one step of building. */
const downloadMs = 30 * 60_000;
const buildMs = 10 * 60_000;
const checkMs = 60_000;

const libraries = ["libtensorflow_cc.so.2", "libtensorflow_framework.so.2"];
const addon = "tfjs_binding.node";

/** A Python for which there are wheels, where there are none for the one that is here: it never runs. */
const otherPython = "3.12";

/** Downloads, unpacks and compiles into the folder. Throws an Error that says what failed. */
export async function installWheel(setup: Setup): Promise<SourceInstall> {
  const { folder, log } = setup;
  const headers = nodeHeaders();
  await checkTools(setup);
  const wheels = await narrated(`downloading TensorFlow ${wheelVersion}`, folder, log, () => download(setup));
  const site = join(folder, "site-packages");
  await mkdir(site);
  await narrated("unpacking TensorFlow and compiling its binding", site, log, () => build(setup, wheels, headers));
  const listed = await Promise.all(wheels.map(listedWheel));
  await rm(join(folder, "wheels"), { recursive: true });
  return {
    addon,
    files: [addon, ...libraries.map((name) => join("site-packages", "tensorflow", name))],
    version: wheelVersion,
    cuda: tensorflowDevice() === "cuda",
    wheels: listed,
    why: `TensorFlow ${wheelVersion} from its wheel, the binding compiled on this machine`,
  };
}

/** For a bill of materials: of a wheel only what is needed of it is left. */
async function listedWheel(path: string): Promise<Wheel> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return { file: basename(path), sha256: hash.digest("hex") };
}

/** What is missing shows before the long download, not after it. */
async function checkTools(setup: Setup): Promise<void> {
  const how = { ...setup, timeoutMs: checkMs };
  await command("python3", ["-m", "pip", "--version"], how);
  await command("g++", ["--version"], how);
}

/** Returns the wheels, TensorFlow's own first. */
async function download(setup: Setup): Promise<readonly string[]> {
  const { folder } = setup;
  const scratch = join(folder, "pip");
  const wheels = join(folder, "wheels");
  await mkdir(scratch);
  const options = "--quiet --disable-pip-version-check --only-binary=:all: --retries 0 --timeout 30 --no-cache-dir";
  const download = ["-m", "pip", "download", ...options.split(" "), "--dest", wheels];
  // CUDA's own libraries are wheels that TensorFlow's depends on. This variant could not be tried where it was written.
  const what =
    tensorflowDevice() === "cuda"
      ? [`tensorflow[and-cuda]==${wheelVersion}`]
      : ["--no-deps", `tensorflow-cpu==${wheelVersion}`];
  // In the cache's own folder: /tmp may be small.
  const how = { ...setup, timeoutMs: downloadMs, env: { ...process.env, TMPDIR: scratch } };
  for (const python of [[], ["--python-version", otherPython]]) {
    const failed = await command("python3", [...download, ...python, ...what], how).catch((thrown: Error) => thrown);
    if (!failed) break;
    if (!/no matching distribution/i.test(failed.message)) throw failed;
    if (python.length === 0) continue;
    const wanted = `${what.at(-1)} for ${process.platform}-${process.arch}`;
    throw new Error(`pip reaches no package index that has ${wanted}`, { cause: failed });
  }
  await rm(scratch, { recursive: true });
  const isTensorflow = (name: string) => /^tensorflow(_cpu)?-/.test(name);
  const names = await readdir(wheels);
  return names.sort((a, b) => Number(isTensorflow(b)) - Number(isTensorflow(a))).map((name) => join(wheels, name));
}

/** Compiles as soon as the headers are there, while the libraries are unpacked. */
async function build(setup: Setup, wheels: readonly string[], headers: string): Promise<void> {
  const { folder } = setup;
  const how = { ...setup, timeoutMs: buildMs };
  const site = join(folder, "site-packages");
  const tensorflow = join(site, "tensorflow");
  const [wheel, ...others] = wheels;
  await unpack(wheel!, site, "tensorflow/include/");

  const flags = ["-fPIC", "-O2", "-std=c++17", "-DNAPI_VERSION=8", `-I${headers}`, `-I${join(tensorflow, "include")}`];
  const compile = async (name: string) => {
    const object = join(folder, `${name}.o`);
    await command("g++", ["-c", ...flags, join(tfjsNodeFolder(), "binding", `${name}.cc`), "-o", object], how);
    return object;
  };
  const unpackLibraries = async () => {
    await unpack(wheel!, site, ...libraries.map((name) => `tensorflow/${name}`));
    for (const other of others) await unpack(other, site, "nvidia/");
  };
  const compiling = ["tfjs_backend", "tfjs_binding"].map(compile);
  const unpacking = unpackLibraries();
  // All to their end, also where one fails: nothing may still write into a folder that is removed.
  await Promise.allSettled([...compiling, unpacking]);
  await unpacking;
  const objects = await Promise.all(compiling);
  // Found from where the addon lies: the folder is renamed when it is whole, and may be moved later.
  const rpath = "-Wl,-rpath,$ORIGIN/site-packages/tensorflow";
  const linked = libraries.map((name) => join(tensorflow, name));
  await command("g++", ["-shared", ...objects, "-o", join(folder, addon), ...linked, rpath], how);
  await Promise.all(objects.map((object) => rm(object)));

  /**
   * As real files in the layout of site-packages: TensorFlow finds CUDA by `$ORIGIN/../nvidia/…/lib`, and through a
   * symlink `$ORIGIN` would be another folder.
   */
  function unpack(from: string, into: string, ...prefixes: readonly string[]): Promise<void> {
    const script = [
      "import sys, zipfile",
      "archive = zipfile.ZipFile(sys.argv[1])",
      "wanted = [name for name in archive.namelist() if name.startswith(tuple(sys.argv[3:]))]",
      "archive.extractall(sys.argv[2], wanted)",
    ];
    return command("python3", ["-c", script.join("\n"), from, into, ...prefixes], how);
  }
}
