/**
 * The Dockerfile's own steps without Docker: what it COPYs and RUNs is read from it and done in a scratch folder, but for apt and the
 * engine, which may not be had here. What comes out runs as the image's user, with all but its volumes read-only.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { packagePath } from "../../proto/package.ts";
import { services } from "../deploy/compose/services.ts";
import { type Instruction, type Stage, stagesOf } from "../deploy/dockerfile.ts";

const stages = stagesOf(readFileSync(packagePath("deploy/docker/cpu.Dockerfile"), "utf8"));
const user = 10001;
const stepMs = 300_000;

/** Not under a folder that others may not enter. */
const scratch = mkdtempSync("/tmp/limbeck-image-");
const rootOf = (stage: string) => join(scratch, stage || "image");
const image = rootOf("");
const app = join(image, "opt/limbeck");

const isRoot = process.getuid?.() === 0;
const isolated = spawnSync("unshare", ["--mount", "mount", "-o", "remount,bind,ro", "/"]).status === 0;
const skip = !isRoot || !isolated ? "needs root, and mount namespaces" : false;

before(() => {
  if (skip) return;
  for (const stage of stages) build(stage);
});
after(() => rmSync(scratch, { recursive: true, force: true }));

function build(stage: Stage): void {
  const root = rootOf(stage.name);
  mkdirSync(root, { mode: 0o755 });
  const isFromStage = stages.some(({ name }) => name === stage.from);
  // By links: a stage adds files and replaces files, and changes none.
  if (isFromStage) assert.equal(spawnSync("cp", ["-al", `${rootOf(stage.from)}/.`, root]).status, 0);
  let folder = "/build"; // Of the stage that all that builds comes from.
  for (const each of stage.instructions) {
    if (each.keyword === "WORKDIR") folder = each.words[0]!;
    if (each.keyword === "COPY") copy(each, join(root, folder), root);
    if (each.keyword === "RUN") run(each, join(root, folder), root);
  }
}

/** As Docker does: a folder's content, a file into a folder that ends in a slash. */
function copy({ flags, words }: Instruction, folder: string, root: string): void {
  const to = words.at(-1)!;
  for (const source of words.slice(0, -1)) {
    // What the bases have is this machine's.
    const from = flags["from"] ? inStage(flags["from"], source) : packagePath(source);
    if (!existsSync(from)) assert.fail(`${source} is not there to be copied`);
    const target = to.startsWith("/") ? join(root, to) : join(folder, to);
    const isInto = to.endsWith("/") && !statSync(from).isDirectory();
    mkdirSync(dirname(isInto ? join(target, "x") : target), { recursive: true });
    const isTree = statSync(from).isDirectory() && !isInto;
    if (isTree) mkdirSync(target, { recursive: true });
    const [what, where] = [isTree ? `${from}/.` : from, isInto ? `${target}/` : target];
    assert.equal(
      spawnSync("cp", [from.startsWith(scratch) ? "-al" : "-a", "--remove-destination", what, where]).status,
      0,
      source,
    );
  }
}

function inStage(stage: string, path: string): string {
  const stands: Record<string, string> = {
    "/usr/local/bin/node": process.execPath,
    "/usr/local/LICENSE": packagePath("LICENSES.md"),
    "/var/lib/dpkg/status": "/var/lib/dpkg/status",
  };
  return stands[path] ?? join(rootOf(stage), path);
}

function run({ words }: Instruction, folder: string, root: string): void {
  if (words[0] !== "node") return;
  const here = words.slice(1).map((word) => (word.startsWith("/out/") ? join(root, word) : word));
  const args = here[1] === "engine" ? here.map((word) => (word === "cpu" ? "none" : word)) : here;
  mkdirSync(join(root, "out"), { recursive: true });
  const { status, stderr } = spawnSync(process.execPath, args, { cwd: folder, encoding: "utf8", timeout: stepMs });
  assert.equal(status, 0, `${words.join(" ")}: ${stderr}`);
}

/** As the image's user; written can be /tmp, /dev/shm, /state and the cache, as in a container with a read-only root. */
function contained(...args: string[]) {
  const state = join(scratch, "state");
  const cache = join(scratch, "cache");
  for (const each of [state, cache]) {
    mkdirSync(each, { recursive: true });
    chownSync(each, user, user);
  }
  const script = [
    "mount --make-rprivate /",
    `for each in ${state} ${cache}; do mount --bind $each $each; done`,
    "mount -o remount,bind,ro /",
    "mount -t tmpfs -o mode=1777 tmpfs /dev/shm",
    // Over /tmp lies a fresh one; what the image is made of is seen below /mnt.
    `mount -t tmpfs tmpfs /mnt && mkdir /mnt/image /mnt/state /mnt/cache && mount --bind ${image} /mnt/image && mount -o remount,bind,ro /mnt/image`,
    `mount --bind ${state} /mnt/state && mount --bind ${cache} /mnt/cache && mount -o remount,ro /mnt`,
    "mount -t tmpfs -o mode=1777 tmpfs /tmp",
    `cd /mnt/state && exec setpriv --reuid ${user} --regid ${user} --clear-groups --no-new-privs --inh-caps=-all --bounding-set=-all "$@"`,
  ].join(" && ");
  const env = {
    PATH: `/mnt/image/usr/local/bin:/usr/bin:/bin`,
    HOME: "/tmp",
    NODE_ENV: "production",
    LIMBECK_CACHE: "/mnt/cache",
    LIMBECK_ENGINES: "/mnt/image/opt/limbeck-engines",
    LIMBECK_ENGINE_SOURCE: "wheel",
    LIMBECK_ENGINE_DEVICE: "cpu",
  };
  const words = ["--mount", "sh", "-c", script, "sh", ...args];
  return spawnSync("unshare", words, { encoding: "utf8", env, timeout: stepMs });
}

const limbeck = (...args: string[]) => contained("node", "/mnt/image/opt/limbeck/cli/limbeck.mjs", ...args);

test("the image has what runs, root's and written by nobody, and nothing that builds or tests", { skip }, () => {
  const has = (path: string) => existsSync(join(app, path));
  for (const path of ["dist/cli/main.js", "dist/kernels.wasm", "node_modules/zod", "sbom.cdx.json", "LICENSES.md"])
    assert.ok(has(path), path);
  for (const path of [
    "node_modules/typescript",
    "node_modules/fast-check",
    "dist/test",
    "tsconfig.json",
    ".npmrc",
    "worker",
  ])
    assert.ok(!has(path), path);
  const writable = readdirSync(app, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isSymbolicLink())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => (statSync(path).mode & 0o022) !== 0 || statSync(path).uid !== 0);
  assert.deepEqual(writable, []);
  const { stdout } = spawnSync("du", ["-sm", app], { encoding: "utf8" });
  console.log(`image: ${stdout.split("\t")[0]} MB without Node, Debian and TensorFlow`);
});

test("nothing else can be written, and the user is nobody's root", { skip }, () => {
  const tried = ["/mnt/image/opt/limbeck/x", "/etc/x", "/mnt/x", "/root/x"].map(
    (path) => contained("touch", path).status,
  );
  assert.deepEqual(tried, [1, 1, 1, 1]);
  assert.equal(contained("touch", "/mnt/state/x", "/mnt/cache/x", "/tmp/x", "/dev/shm/x").status, 0);
  assert.equal(contained("id", "-u").stdout.trim(), String(user));
});

test("doctor says what computes; without its engine the image would not be built", { skip }, () => {
  const doctor = limbeck("doctor", "--engine", "wasm", "-o", "json");
  assert.equal(doctor.status, 0, doctor.stderr);
  assert.equal((JSON.parse(doctor.stdout) as { backend: string }).backend, "wasm");
  // The Dockerfile's last RUN, in an image whose engine is not there.
  const { words } = stages.at(-1)!.instructions.findLast(({ keyword }) => keyword === "RUN")!;
  assert.deepEqual(words.slice(0, 2), ["limbeck", "doctor"]);
  const without = limbeck(...words.slice(1));
  assert.equal(without.status, 1, without.stdout);
  assert.match(without.stderr, /engine tensorflow was asked for and cannot be had/);
});

test("the compose file's certificates are made in it, are its user's, and are kept", { skip }, () => {
  const { command } = services["certificates"]!;
  const certs = () => limbeck(...command!.map((word) => word.replace("/tls", "/mnt/state/tls")));
  const made = certs();
  assert.equal(made.status, 0, made.stderr);
  const { uid, mode } = statSync(join(scratch, "state/tls/worker.key"));
  assert.deepEqual([uid, mode & 0o777], [user, 0o600]);
  assert.match(certs().stdout, /^\/mnt\/state\/tls: the certificates of the cluster default are kept/);
});

test("an engine whose binding does not load ends the build", { skip }, () => {
  const folder = join(scratch, "stubs");
  mkdirSync(folder);
  const stub = (name: string, script: string) =>
    writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  const after = (option: string) => `while [ "$1" != ${option} ] && [ $# -gt 0 ]; do shift; done`;
  stub(
    "python3",
    `case "$*" in *download*) ${after("--dest")}; mkdir -p "$2" && : > "$2/tensorflow_cpu-0-none-any.whl";; esac`,
  );
  stub("g++", `${after("-o")}; [ $# -eq 0 ] || : > "$2"`);
  const { status, stderr } = spawnSync(
    process.execPath,
    ["deploy/docker/build.mjs", "engine", "cpu", join(scratch, "broken")],
    {
      cwd: join(rootOf("engine"), "build"),
      encoding: "utf8",
      env: { ...process.env, PATH: `${folder}:${process.env["PATH"]}` },
    },
  );
  assert.equal(status, 1, stderr);
  assert.match(stderr, /engine: engine tensorflow was asked for .*wheel: node ended with code 1: .*tfjs_binding\.node/);
});

test("a whole job runs in it: coordinator, teacher and students as processes of that user", { skip }, () => {
  const run = limbeck(
    "run",
    "/mnt/image/opt/limbeck/examples/smoke.yaml",
    "--out",
    "/mnt/state/run",
    "--engine",
    "wasm",
    "--quiet",
  );
  assert.equal(run.status, 0, run.stderr);
  assert.ok(existsSync(join(scratch, "state/run/report.html")));
  assert.equal(statSync(join(scratch, "state/run/report.json")).uid, user);
});
