/**
 * Makes a checkout ready to run: dependencies, compiled sources, compiled kernels. Plain JavaScript without imports
 * from node_modules, for it runs before there are any. A second run only compares stamps.
 */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { basename, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { alone } from "./bootstraplock.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
/** An image is built without the last two. */
const sourceFolders = ["core", "proto", "coordinator", "worker", "cli", "bench", "test"].filter((folder) =>
  existsSync(join(root, folder)),
);
const dependenciesStamp = join(root, "node_modules", ".limbeck-lock");
const buildStamp = join(root, "dist", ".built");
const lock = join(root, ".bootstrap.lock");

/** Of an installation over a slow line, or a compilation on a slow machine. */
const commandMs = 20 * 60_000;

/** Installs and builds what is missing or stale. Throws an Error whose message is for the user. */
export async function prepare() {
  if (!existsSync(join(root, "tsconfig.json"))) return; // An installed package comes compiled.
  if (dependenciesFresh() && buildFresh()) return;
  await alone(lock, say, async () => {
    if (!dependenciesFresh()) await installDependencies();
    if (!buildFresh()) await build();
  });
}

const stampIs = (file, text) => existsSync(file) && readFileSync(file, "utf8") === text;

function lockHash() {
  return createHash("sha256")
    .update(readFileSync(join(root, "package-lock.json")))
    .digest("hex");
}

function dependenciesFresh() {
  if (stampIs(dependenciesStamp, lockHash())) return true;
  // Installed by hand: npm's own record is newer than the lock file.
  const record = join(root, "node_modules", ".package-lock.json");
  return existsSync(record) && statSync(record).mtimeMs >= statSync(join(root, "package-lock.json")).mtimeMs;
}

async function installDependencies() {
  say("installing dependencies (npm ci) ...");
  const started = Date.now();
  // With those for building, whatever NODE_ENV says.
  const args = ["ci", "--include=dev", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
  await run("npm", args, "the dependencies could not be installed");
  writeFileSync(dependenciesStamp, lockHash());
  say(`installed in ${seconds(started)}`);
}

/** Paths, sizes and times of all that is compiled. */
function sourcesHash() {
  const hash = createHash("sha256");
  const add = (path) => {
    const { mtimeMs, size } = statSync(path);
    hash.update(`${relative(root, path)} ${mtimeMs} ${size}\n`);
  };
  for (const path of ["tsconfig.json", "package-lock.json"]) add(join(root, path));
  for (const folder of sourceFolders) {
    const names = readdirSync(join(root, folder), { recursive: true, encoding: "utf8" }).sort();
    for (const name of names) if (/\.(ts|json)$/.test(name)) add(join(root, folder, name));
  }
  return hash.digest("hex");
}

const buildFresh = () => stampIs(buildStamp, sourcesHash());

async function build() {
  say("compiling ...");
  const started = Date.now();
  const hash = sourcesHash();
  rmSync(buildStamp, { force: true });
  removeOrphans();
  mkdirSync(join(root, "dist"), { recursive: true });
  await runNode("typescript/bin/tsc", ["-p", root], "the sources do not compile");
  const kernels = ["--config", "worker/kernels/asconfig.json", "--target", "release"];
  await runNode("assemblyscript/bin/asc.js", kernels, "the kernels do not compile");
  writeFileSync(buildStamp, hash);
  say(`compiled in ${seconds(started)}`);
}

/** Compiled files whose source is gone: a test that was deleted must not run. */
function removeOrphans() {
  for (const folder of sourceFolders) {
    const compiled = join(root, "dist", folder);
    if (!existsSync(compiled)) continue;
    for (const name of readdirSync(compiled, { recursive: true, encoding: "utf8" })) {
      const stem = name.replace(/\.js(\.map)?$/, "");
      if (stem !== name && !existsSync(join(root, folder, `${stem}.ts`))) {
        rmSync(join(compiled, name));
        rmSync(join(root, "dist", ".tsbuildinfo"), { force: true });
      }
    }
  }
}

function runNode(script, args, failure) {
  return run(process.execPath, [join(root, "node_modules", script), ...args], failure);
}

/** Output goes to stderr: stdout belongs to the command that follows. */
async function run(command, args, failure) {
  const child = spawn(command, args, { cwd: root, stdio: ["ignore", 2, 2], timeout: commandMs });
  const [code, signal] = await once(child, "exit").catch((error) => {
    throw new Error(`${failure}: ${error.code === "ENOENT" ? `${command} is not installed` : error.message}`);
  });
  if (code !== 0) throw new Error(`${failure}: ${basename(command)} ended with ${signal ?? `code ${code}`}`);
}

const seconds = (started) => `${((Date.now() - started) / 1000).toFixed(1)} s`;
const say = (line) => process.stderr.write(`limbeck: ${line}\n`);

/** Checks Node and prepares; on failure says why and exits 1. */
export async function prepareOrExit() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    say(`needs Node 20.19 or newer, this is ${process.versions.node}`);
    process.exit(1);
  }
  try {
    await prepare();
  } catch (error) {
    say(error.message);
    process.exit(1);
  }
  process.setSourceMapsEnabled(true);
}

if (realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) await prepareOrExit();
