/**
 * How an image is built, step by step. The Dockerfiles call it, and so does a test without Docker: nothing here knows of either.
 *
 *   node deploy/docker/build.mjs dependencies              npm packages, those for building too
 *   node deploy/docker/build.mjs engine cpu|cuda|none DIR  TensorFlow and its binding into DIR, or nothing; fails where it does not load
 *   node deploy/docker/build.mjs compile                   sources and kernels
 *   node deploy/docker/build.mjs assemble DIR              what runs, and nothing else, into DIR
 */
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
const ci = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];

const steps = {
  dependencies() {
    run("npm", [...ci, "--include=dev"]);
  },

  /** The same code that sets an engine up on any machine. From sources, so that a layer of gigabytes depends on little. */
  engine(device, folder) {
    if (!["cpu", "cuda", "none"].includes(device) || !folder) usage();
    mkdirSync(folder, { recursive: true });
    if (device === "none") return writeFileSync(join(folder, "wheels.json"), "[]\n");
    const env = { LIMBECK_ENGINE_DEVICE: device, LIMBECK_ENGINE_SOURCE: "wheel", LIMBECK_ENGINES: resolve(folder) };
    run(process.execPath, ["--import", "tsx", "deploy/docker/engine.ts"], { env });
  },

  compile() {
    run(process.execPath, ["cli/bootstrap.mjs"]);
  },

  assemble(folder) {
    if (!folder) usage();
    const app = resolve(folder);
    mkdirSync(app, { recursive: true });
    for (const name of ["package.json", "package-lock.json", ".npmrc"]) copy(name, app);
    run("npm", [...ci, "--omit=dev", "--prefer-offline"], { cwd: app });
    rmSync(join(app, ".npmrc"));
    for (const name of parts) copy(name, app);
    for (const [from, pattern] of Object.entries(among))
      for (const name of readdirSync(join(root, from))) if (pattern.test(name)) copy(join(from, name), app);
    trim(join(app, "node_modules"));
    run("chmod", ["-R", "u=rwX,go=rX", app]);
  },
};

/** Compiled code, and what it reads beside it. */
const whole = ["core", "proto", "coordinator", "worker", "cli"].map((folder) => `dist/${folder}`);
const parts = [...whole, "dist/kernels.wasm", "examples", "LICENSES.md", "deploy/docker/health.mjs"];
const among = { cli: /\.mjs$/, proto: /\.proto$/, "coordinator/page": /\.css$/, "coordinator/report": /\.css$/ };

/** Of packages: maps and types, bundles for browsers, libraries for other machines. Licences stay. */
const trimmed = [
  /\.map$/,
  /\.d\.[cm]?ts$/,
  /^@tensorflow\/[\w-]+\/dist\/miniprogram\//,
  /^@tensorflow\/[\w-]+\/dist\/tf[\w-]*\.(es2017|fesm)[\w.]*\.(js|html)$/,
  /^@tensorflow\/[\w-]+\/dist\/tf[\w-]*\.min\.js(\.html)?$/,
  /^@tensorflow\/.*_test\.js$/,
  new RegExp(`^onnxruntime-node/bin/[\\w-]+/(?!${process.platform}/${process.arch}/)`),
];

function trim(modules) {
  for (const entry of readdirSync(modules, { recursive: true, withFileTypes: true })) {
    if (entry.isDirectory()) continue;
    const path = join(entry.parentPath, entry.name);
    if (trimmed.some((pattern) => pattern.test(path.slice(modules.length + 1)))) rmSync(path);
  }
}

function copy(name, app) {
  mkdirSync(join(app, dirname(name)), { recursive: true });
  cpSync(join(root, name), join(app, name), { recursive: true });
}

function run(command, args, { cwd = root, env = {} } = {}) {
  const { status, error } = spawnSync(command, args, { cwd, env: { ...process.env, ...env }, stdio: "inherit" });
  if (status === 0) return;
  console.error(`build: ${basename(command)} ${args[0]} ${error ? `does not start: ${error.message}` : "failed"}`);
  process.exit(1);
}

function usage() {
  console.error("build: dependencies, engine cpu|cuda|none DIR, compile or assemble DIR is needed");
  process.exit(2);
}

const [step, ...args] = process.argv.slice(2);
if (!Object.hasOwn(steps, step ?? "")) usage();
steps[step](...args);
