/** What docs/dependencies.md and LICENSES.md say of packages is so. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { packagePath } from "../../proto/package.ts";
import { engineEnvironment } from "../../worker/engine/environment.ts";
import { installedEngine } from "../../worker/engine/install.ts";
import { scratchFolder } from "../e2e/limbeck.ts";

const read = (path: string) => readFileSync(packagePath(path), "utf8");
const page = read("docs/dependencies.md");

interface Locked {
  readonly version: string;
  readonly license?: string;
  readonly hasInstallScript?: boolean;
  readonly integrity?: string;
}

const { packages } = JSON.parse(read("package-lock.json")) as { readonly packages: Readonly<Record<string, Locked>> };
const locked = Object.entries(packages).filter(([folder]) => folder !== "");
const nameOf = (folder: string) => folder.slice(folder.lastIndexOf("node_modules/") + "node_modules/".length);

interface Manifest {
  readonly license?: string | { readonly type: string };
  readonly licenses?: readonly { readonly type: string }[];
  readonly scripts?: Readonly<Record<string, string>>;
}

/** null where it is not for this machine. */
function manifestOf(folder: string): Manifest | null {
  const path = packagePath(`${folder}/package.json`);
  return existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : null;
}

test("no package's script runs when it is installed; those that have one are listed, each with what it says to run", () => {
  assert.match(read(".npmrc"), /^ignore-scripts=true$/m);
  const installers = ["cli/bootstrap.mjs", "deploy/docker/build.mjs"].map(read);
  for (const text of installers) assert.match(text, /"ci", (?:"--include=dev", )?"--ignore-scripts"/);
  const scripted = locked.filter(([, { hasInstallScript }]) => hasInstallScript).map(([folder]) => folder);
  const rows = scripted.map((folder) => {
    const scripts = manifestOf(folder)?.scripts ?? {};
    const [own] = ["preinstall", "install", "postinstall"].flatMap((each) => scripts[each] ?? []);
    return `| \`${nameOf(folder)}\` | \`${own}\` |`;
  });
  const found = [...page.matchAll(/^\| `[^`]+` \| `(?:node|sh) [^`]*` \|/gm)].map(([row]) => row);
  assert.deepEqual(found, rows);
  const unsealed = locked.filter(([, { integrity }]) => !integrity).map(([folder]) => folder);
  assert.deepEqual(unsealed, [], "each package's content is sealed by the lock file");
});

/** Of the old ones, with TensorFlow. */
const reached = ["@mapbox/node-pre-gyp", "google-protobuf"];

/** As the page has them. */
function oldPackages(): { readonly name: string; readonly version: string }[] {
  const [, rows = ""] =
    /\| package \| where from \| what reaches it \|\n\|---\|---\|---\|\n((?:\|.*\n)+)/.exec(page) ?? [];
  return [...rows.matchAll(/`([@\w/-]+)` (\d+\.\d+\.\d+)/g)].map(([, name, version]) => ({
    name: name!,
    version: version!,
  }));
}

test("packages that are called old have the versions that are named, and none of them is used by our code", () => {
  const old = oldPackages();
  assert.ok(old.length >= 8, page);
  for (const { name, version } of old) {
    const versions = locked.filter(([folder]) => nameOf(folder) === name).map(([, each]) => each.version);
    assert.ok(versions.includes(version), `${name} ${version}: there is ${versions.join(", ")}`);
  }
  const folders = ["core", "proto", "coordinator", "worker", "cli"];
  const files = folders.flatMap((folder) =>
    readdirSync(packagePath(folder), { recursive: true, encoding: "utf8" })
      .filter((name) => /\.(ts|mjs)$/.test(name))
      .map((name) => `${folder}/${name}`),
  );
  const importing = new RegExp(`(?:from|import|require)\\s*\\(?["'](${old.map(({ name }) => name).join("|")})["'/]`);
  assert.deepEqual(
    files.filter((path) => importing.test(read(path))),
    [],
  );
});

test("LICENSES.md is what the lock file says, and every licence is known", () => {
  const { status, stderr } = spawnSync(process.execPath, ["deploy/docker/licences.mjs", "--check"], {
    cwd: packagePath("."),
    encoding: "utf8",
  });
  assert.equal(status, 0, stderr);
});

test("a licence that nobody has looked at is refused, and so is none", async (t) => {
  const lock = join(await scratchFolder(t), "package-lock.json");
  const one = (name: string, license?: string) => ({ [`node_modules/${name}`]: { version: "1.0.0", license } });
  const all = { ...one("copyleft", "GPL-3.0-only"), ...one("either", "GPL-3.0-only OR MIT"), ...one("unsaid") };
  const both = one("both", "(MIT AND LGPL-2.1)");
  writeFileSync(lock, JSON.stringify({ packages: { "": {}, ...all, ...both } }));
  const args = [packagePath("deploy/docker/licences.mjs"), "--check", "--lock", lock];
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  assert.equal(status, 1);
  const named = [...stderr.matchAll(/^licences: (\w+) 1\.0\.0 has (.*), which is not among/gm)].map((match) =>
    match.slice(1),
  );
  assert.deepEqual(named, [
    ["copyleft", "GPL-3.0-only"],
    ["unsaid", "none"],
    ["both", "(MIT AND LGPL-2.1)"],
  ]);
});

test("what the lock file says of a licence the package says of itself", () => {
  const said = ({ license, licenses }: Manifest) => {
    if (typeof license === "string") return license;
    return license?.type ?? licenses?.map(({ type }) => type).join(" OR ");
  };
  const compared = locked.flatMap(([folder, { license }]) => {
    const manifest = manifestOf(folder);
    return manifest ? [[folder, license, said(manifest)] as const] : [];
  });
  assert.ok(compared.length > locked.length / 2, `${compared.length} of ${locked.length} are here`);
  assert.deepEqual(
    compared.filter(([, lock, own]) => lock !== own),
    [],
  );
});

test("of the old packages only those that are said to be reached are loaded with the engine", () => {
  const loading = `
    import { createRequire } from "node:module";
    const { loadEngine } = await import(process.argv[1]);
    await loadEngine("auto", 1);
    console.log(JSON.stringify(Object.keys(createRequire(process.argv[1]).cache)));`;
  const args = ["--input-type=module", "-e", loading, packagePath("dist/worker/engine/load.js")];
  const env = { ...process.env, ...engineEnvironment(1) };
  const said = execFileSync(process.execPath, args, { encoding: "utf8", env, stdio: ["ignore", "pipe", "ignore"] });
  const files = JSON.parse(said.trim().split("\n").at(-1)!) as readonly string[];
  assert.ok(files.length > 0);
  const isLoaded = (name: string) => files.some((file) => file.includes(`/node_modules/${name}/`));
  assert.deepEqual(
    oldPackages()
      .map(({ name }) => name)
      .filter(isLoaded),
    installedEngine("auto").kind === "wasm" ? [] : reached,
  );
});
