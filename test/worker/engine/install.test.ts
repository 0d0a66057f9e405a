/** Setting an engine up where TensorFlow cannot be had. Nothing is downloaded: stubs stand for python3 and g++. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { fileURLToPath } from "node:url";
import { LimbeckError } from "../../../core/errors.ts";
import { hasNvidiaDriver } from "../../../worker/engine/hardware.ts";
import { ensureEngine, installedEngine } from "../../../worker/engine/install.ts";

const before = { ...process.env };
let scratch = "";
let lines: string[] = [];
const options = { log: (line: string) => void lines.push(line) };

beforeEach(async () => {
  scratch = await mkdtemp(join(tmpdir(), "limbeck-install-"));
  lines = [];
  mkdirSync(join(scratch, "bin"));
  Object.assign(process.env, {
    LIMBECK_CACHE: join(scratch, "cache"),
    PATH: join(scratch, "bin"),
    // The prebuilt's installer finds nobody there.
    CDN_STORAGE: "https://127.0.0.1:1/",
    HTTPS_PROXY: "",
    https_proxy: "",
    HTTP_PROXY: "",
    http_proxy: "",
  });
  for (const name of ["ENGINE_SOURCE", "ENGINE_DEVICE", "ENGINES", "GPU"]) delete process.env[`LIMBECK_${name}`];
});

afterEach(async () => {
  for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name];
  Object.assign(process.env, before);
  await rm(scratch, { recursive: true });
});

/** A program that notes each call and then does as the script says. */
function stub(name: string, script: string): void {
  const text = `#!/bin/sh\necho "$*" >> ${join(scratch, name)}.calls\n${script}\n`;
  writeFileSync(join(scratch, "bin", name), text, { mode: 0o755 });
}

function downloads(): number {
  const file = join(scratch, "python3.calls");
  const calls = existsSync(file) ? readFileSync(file, "utf8").split("\n") : [];
  return calls.filter((call) => call.includes("pip download")).length;
}

const unavailable = (pattern: RegExp) => (thrown: unknown) => {
  assert.ok(thrown instanceof LimbeckError);
  assert.equal(thrown.code, "engine_unavailable");
  assert.match(thrown.message, pattern);
  assert.doesNotMatch(thrown.message, /\n/);
  return true;
};

/** What pip says where no index answers, or none has the wheel. */
const noWheel = `case "$*" in *download*)
  echo "ERROR: Could not find a version that satisfies the requirement (from versions: none)" >&2
  echo "ERROR: No matching distribution found for it" >&2
  exit 1;; esac`;

test("auto ends with wasm and says why each source failed; tensorflow fails with the same reasons", async () => {
  const engine = await ensureEngine("auto", options);
  assert.equal(engine.kind, "wasm");
  assert.match(
    engine.why,
    /wheel: python3 is not installed; prebuilt: \S+ ended with code 1: .*ECONNREFUSED.*; limbeck doctor tries again/,
  );
  assert.doesNotMatch(engine.why, /\n/);
  assert.deepEqual(installedEngine("auto"), engine);
  const reasons = unavailable(/^engine tensorflow was asked for .*wheel: python3 is not installed; prebuilt: /);
  await assert.rejects(ensureEngine("tensorflow", options), reasons);
  assert.throws(() => installedEngine("tensorflow"), reasons);
});

test("wasm is there without any set-up", async () => {
  assert.deepEqual(await ensureEngine("wasm", options), { kind: "wasm", why: "asked for" });
  assert.deepEqual([installedEngine("wasm"), lines], [{ kind: "wasm", why: "asked for" }, []]);
});

test("a GPU is refused where there is no driver", { skip: hasNvidiaDriver() && "this machine has one" }, async () => {
  await assert.rejects(ensureEngine("gpu", options), unavailable(/no NVIDIA driver/));
  assert.throws(() => installedEngine("gpu"), unavailable(/no NVIDIA driver/));
});

test("before any set-up, what is asked for is not there", () => {
  assert.throws(() => installedEngine("tensorflow"), unavailable(/wheel: not set up on this machine/));
});

for (const { what, script, reason } of [
  { what: "pip", script: `echo "$0: No module named pip" >&2; exit 1`, reason: /No module named pip/ },
  { what: "a C++ compiler", script: "exit 0", reason: /g\+\+ is not installed/ },
]) {
  test(`without ${what} nothing is downloaded, and the reason says so`, async () => {
    process.env["LIMBECK_ENGINE_SOURCE"] = "wheel";
    stub("python3", script);
    await assert.rejects(ensureEngine("tensorflow", options), unavailable(reason));
    assert.equal(downloads(), 0);
  });
}

test("pip's failure is told in one sentence, remembered, and forgotten when doctor asks again", async () => {
  process.env["LIMBECK_ENGINE_SOURCE"] = "wheel";
  stub("python3", noWheel);
  stub("g++", "exit 0");
  const reason = unavailable(/wheel: pip reaches no package index that has tensorflow\S* for \w+-\w+;/);
  await assert.rejects(ensureEngine("tensorflow", options), reason);
  const tries = downloads();
  assert.equal(tries, 2); // For the Python that is here, and for another.
  await assert.rejects(ensureEngine("tensorflow", options), reason);
  assert.equal(downloads(), tries);
  await assert.rejects(ensureEngine("tensorflow", { ...options, failed: "again" }), reason);
  assert.equal(downloads(), 2 * tries);
});

test("a binding that is built and does not load is a failure, and nothing of it is kept", async () => {
  process.env["LIMBECK_ENGINE_SOURCE"] = "wheel";
  const afterOption = (option: string) => `while [ "$1" != ${option} ] && [ $# -gt 0 ]; do shift; done`;
  const download = `case "$*" in *download*)
    ${afterOption("--dest")}
    /bin/mkdir -p "$2" && : > "$2/tensorflow_cpu-0-none-any.whl";; esac`;
  stub("python3", download);
  stub("g++", `${afterOption("-o")}; [ $# -eq 0 ] || : > "$2"`);
  await assert.rejects(
    ensureEngine("tensorflow", options),
    unavailable(/wheel: node ended with code 1: Error: .*tfjs_/),
  );
  assert.equal(downloads(), 1);
  const engines = join(scratch, "cache", "engine");
  assert.deepEqual(readdirSync(join(engines, readdirSync(engines)[0]!)), ["engine.json"]);
});

test("a half-written folder is no install (L4)", async () => {
  process.env["LIMBECK_ENGINE_SOURCE"] = "wheel";
  stub("python3", noWheel);
  stub("g++", "exit 0");
  await ensureEngine("auto", options);
  const engines = join(scratch, "cache", "engine");
  const names = readdirSync(engines);
  assert.equal(names.length, 1, `${names}`);
  const folder = join(engines, names[0]!);
  const install = { addon: "a.node", files: ["a.node"], version: "1", cuda: false, why: "whole" };
  const record = JSON.stringify({ install, bytes: [3] });
  const states: [string, string | null, string | null][] = [
    ["whole", "abc", record],
    ["no record", "abc", null],
    ["half a record", "abc", record.slice(0, -5)],
    ["half an addon", "ab", record],
    ["no addon", null, record],
  ];
  for (const [what, addon, kept] of states) {
    rmSync(folder, { recursive: true });
    mkdirSync(folder);
    if (addon !== null) writeFileSync(join(folder, "a.node"), addon);
    if (kept !== null) writeFileSync(join(folder, "engine.json"), kept);
    const tries = downloads();
    assert.equal(installedEngine("auto").kind, what === "whole" ? "tensorflow" : "wasm", what);
    await ensureEngine("auto", options);
    assert.equal(downloads() > tries, what !== "whole", what);
  }
  assert.deepEqual(readdirSync(engines), names); // No half-made folder and no lock is left.
});

test("of two processes at once one tries, the other waits for it", async () => {
  process.env["LIMBECK_ENGINE_SOURCE"] = "wheel";
  stub("python3", `case "$*" in *download*) /bin/sleep 1;; esac\n${noWheel}`);
  stub("g++", "exit 0");
  const install = new URL("../../../worker/engine/install.ts", import.meta.url);
  const script = `const { ensureEngine } = await import(process.argv[1]);
    console.log((await ensureEngine("auto", { log() {} })).why);`;
  const file = existsSync(fileURLToPath(install)) ? install.href : install.href.replace(/ts$/, "js");
  const args = [...process.execArgv.filter((each) => each !== "--test"), "--input-type=module", "-e", script, file];
  const said = await Promise.all(
    [1, 2].map(async () => {
      const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
      let output = "";
      child.stdout.on("data", (chunk) => (output += chunk));
      await once(child, "close");
      return output;
    }),
  );
  assert.match(said[0]!, /pip reaches no package index/);
  assert.equal(said[1], said[0]);
  assert.equal(downloads(), 2);
});

test("a cache that cannot be written is a reason too", async () => {
  process.env["LIMBECK_ENGINE_SOURCE"] = "wheel";
  process.env["LIMBECK_CACHE"] = "/dev/null/cache";
  await assert.rejects(ensureEngine("tensorflow", options), unavailable(/the cache cannot be written .*LIMBECK_CACHE/));
});

test("an image says where its engine lies and which it is, and that no CPU will do", () => {
  process.env["LIMBECK_ENGINES"] = join(scratch, "engines");
  const place = (device: string) => {
    process.env["LIMBECK_ENGINE_DEVICE"] = device;
    const machine = `${process.platform}-${process.arch}`;
    return join(scratch, "engines", `wheel-2.21.0-${device}-${machine}-tfjs-4.22.0-napi8`);
  };
  const folder = place("cuda");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "a.node"), "abc");
  const install = { addon: "a.node", files: ["a.node"], version: "2.21.0", cuda: true, why: "in the image" };
  writeFileSync(join(folder, "engine.json"), JSON.stringify({ install, bytes: [3] }));
  const found = installedEngine("auto");
  assert.ok(found.kind === "tensorflow" && found.cuda);
  assert.equal(found.addon, join(folder, "a.node"));
  place("cpu");
  assert.equal(installedEngine("auto").kind, "wasm");
  place("rocm");
  assert.throws(() => installedEngine("auto"), /LIMBECK_ENGINE_DEVICE is rocm; it can be cpu or cuda/);

  place("cuda");
  process.env["LIMBECK_GPU"] = "required";
  if (!hasNvidiaDriver())
    assert.throws(
      () => installedEngine("auto"),
      unavailable(/LIMBECK_GPU=required\), but this machine has no NVIDIA driver/),
    );
  stub("nvidia-smi", "exit 0"); // A driver, as it is looked for.
  assert.equal(installedEngine("auto").kind, "tensorflow");
  assert.equal(installedEngine("wasm").kind, "wasm");
  rmSync(folder, { recursive: true });
  assert.throws(() => installedEngine("auto"), unavailable(/engine gpu was asked for and cannot be had/));
  process.env["LIMBECK_GPU"] = "yes";
  assert.throws(() => installedEngine("auto"), /LIMBECK_GPU is yes; it can be required, or empty/);
});

test("an unknown source is refused with those there are", async () => {
  process.env["LIMBECK_ENGINE_SOURCE"] = "apt";
  await assert.rejects(ensureEngine("auto", options), /LIMBECK_ENGINE_SOURCE is apt; it can be wheel or prebuilt/);
});
