/** Versions of what is not from npm are said in several places: they are the same in all, and docs/dependencies.md has them. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { parse } from "yaml";
import { packagePath, packageVersion } from "../../proto/package.ts";
import { wheelVersion } from "../../worker/engine/wheel.ts";
import { kubernetesTools } from "../kubernetestools.ts";
import { parsed } from "./chart/render.ts";
import { services } from "./compose/services.ts";

const read = (path: string) => readFileSync(packagePath(path), "utf8");
const dockerfiles = ["deploy/docker/cpu.Dockerfile", "deploy/docker/gpu.Dockerfile"];
const page = read("docs/dependencies.md");

/** What, version, and where it is said. */
type Said = readonly [what: string, version: string, where: string];

function ofImage(image: string, where: string): Said {
  const at = image.lastIndexOf(":");
  return [image.slice(0, at), image.slice(at + 1), where];
}

function inDockerfile(path: string): Said[] {
  const text = read(path);
  const value = (name: string) => new RegExp(`^ARG ${name}=(.*)$`, "m").exec(text)![1]!;
  const bases = [...text.matchAll(/^FROM \$\{(\w+)\}/gm)].map(([, name]) => ofImage(value(name!), path));
  const packages = [...text.matchAll(/([\w+.-]+)=\$\{(\w+_VERSION)\}/g)];
  return [...bases, ...packages.map(([, what, name]): Said => [what!, value(name!), path])];
}

function inKustomize(path: string): Said[] {
  const objects = parsed(read(path));
  const pods = objects.flatMap(({ spec }) => spec?.template?.spec?.containers ?? []);
  return pods.map(({ image }) => ofImage(image, path));
}

const base = "deploy/kustomize/base";
const chart = "deploy/helm/limbeck";
const { repository, tag } = parse(read(`${chart}/values.yaml`)).nats.image;

const all: readonly Said[] = [
  ...dockerfiles.flatMap(inDockerfile),
  ...Object.values(services).flatMap(({ image, build }) => (build ? [] : [ofImage(image, "deploy/compose.yaml")])),
  [repository, tag, `${chart}/values.yaml`],
  ...inKustomize(`${base}/nats.yaml`),
  ["tensorflow", wheelVersion, "worker/engine/wheel.ts"],
];

test("each has one version, and the table in docs/dependencies.md says which, and where", () => {
  const places = new Map<string, string[]>();
  for (const [what, version, where] of all) {
    const row = `\`${what}\` | \`${version}\``;
    places.set(row, [...new Set([...(places.get(row) ?? []), where])]);
  }
  const rows = [...places].map(([row, where]) => `| ${row} | ${where.map((path) => `\`${path}\``).join(", ")} |`);
  const whats = [...places.keys()].map((row) => row.split(" | ")[0]);
  assert.equal(new Set(whats).size, whats.length, `one version of each: ${rows.join("\n")}`);
  const [, table = ""] = /\| what \| version \| named in \|\n\|---\|---\|---\|\n((?:\|.*\n)+)/.exec(page) ?? [];
  assert.deepEqual(table.trim().split("\n"), rows.sort());
  assert.ok(page.includes(`\`${kubernetesTools.package}\` ${kubernetesTools.version}`));
});

test("Node.js comes from an image of the same Debian that it runs on, and is one that Limbeck runs on", () => {
  const of = (name: string) => all.find(([what]) => what === name)![1];
  assert.match(of("debian"), /^12\.\d+-slim$/);
  assert.match(of("node"), /-bookworm-slim$/, "Debian 12");
  const { engines } = JSON.parse(read("package.json"));
  const [least, found] = [engines.node, of("node")].map((text) => /(\d+)\.(\d+)/.exec(text)!.slice(1).map(Number));
  assert.ok(found![0]! > least![0]! || (found![0] === least![0] && found![1]! >= least![1]!), of("node"));
});

test("Limbeck's own version is the same everywhere", () => {
  const { version, appVersion } = parse(read(`${chart}/Chart.yaml`));
  assert.deepEqual([version, appVersion], [packageVersion, packageVersion]);
  const own = ["coordinator", "teachers", "students"].flatMap((name) => inKustomize(`${base}/${name}.yaml`));
  assert.equal(own.length, 3);
  for (const said of own) assert.deepEqual(said.slice(0, 2), ["limbeck", packageVersion], said[2]);
  for (const path of [...dockerfiles, "deploy/compose.yaml", "docs/operations.md", `${chart}/README.md`]) {
    const tags = [...read(path).matchAll(/\blimbeck:(\d[\w.]*)(?:-gpu)?\b/g)].map(([, each]) => each);
    assert.ok(tags.length > 0, path);
    for (const each of tags) assert.equal(each, packageVersion, path);
  }
});

test("pages that speak of TensorFlow's version speak of the one that is used", () => {
  for (const path of ["docs/operations.md", "DESIGN.md"]) {
    const named = [...read(path).matchAll(/TensorFlow (\d+\.\d+)/g)].map(([, version]) => version!);
    assert.ok(named.length > 0, path);
    for (const version of named) assert.ok(wheelVersion.startsWith(`${version}.`), `${path}: ${version}`);
  }
});
