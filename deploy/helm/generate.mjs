/**
 * Writes what of the chart is made from elsewhere. It must be built (npm run build).
 *   node deploy/helm/generate.mjs          writes it
 *   node deploy/helm/generate.mjs --check  exits 1 where what is checked in differs (CI)
 * Rules, alerts, dashboards and the smoke job are copied: Helm reads nothing outside of a chart. The table in README.md is
 * of values.yaml. The base for kustomize is the chart's rendering with deploy/kustomize/values.yaml.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { findTool } from "../../dist/test/kubernetestools.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
const chart = "deploy/helm/limbeck";
const base = "deploy/kustomize/base";
const read = (path) => readFileSync(join(root, path), "utf8");

/** By path, of all that is made. */
const made = new Map();
/** Folders that hold nothing else. */
const folders = [`${chart}/files`, `${chart}/files/dashboards`];

for (const name of ["rules.yml", "alerts.yml"]) made.set(`${chart}/files/${name}`, read(`deploy/prometheus/${name}`));
made.set(`${chart}/files/smoke.yaml`, read("examples/smoke.yaml"));
for (const name of readdirSync(join(root, "deploy/grafana/dashboards"))) {
  made.set(`${chart}/files/dashboards/${name}`, read(`deploy/grafana/dashboards/${name}`));
}
made.set(`${chart}/README.md`, withTable(read(`${chart}/README.md`), valuesTable(read(`${chart}/values.yaml`))));

const helm = findTool("helm");
if ("why" in helm) {
  console.error(`${base} is left out: ${helm.why}`);
} else {
  folders.push(base);
  for (const [name, text] of kustomizeBase(helm.path)) made.set(`${base}/${name}`, text);
}

/** A row for each value that has a comment beginning with `# --`. */
function valuesTable(text) {
  const rows = [];
  /** Keys above, by indentation. */
  const above = [];
  let comment = null;
  const lines = text.split("\n");
  for (const [at, line] of lines.entries()) {
    const [, said] = /^ *# -- (.*)$/.exec(line) ?? [];
    if (said !== undefined) comment = said;
    const [, indent, key, value] = /^( *)([A-Za-z]\w*):(?: +(.*))?$/.exec(line) ?? [];
    if (key === undefined) continue;
    above.length = indent.length / 2;
    above.push(key);
    if (comment === null) continue;
    const inside = [];
    for (const below of lines.slice(at + 1)) {
      if (!/^\s*(#|$)/.test(below) && below.search(/\S/) <= indent.length) break;
      if (!/^\s*(#|$)/.test(below)) inside.push(below.trim());
    }
    const usual = value ?? `{ ${inside.join(", ")} }`;
    rows.push(`| \`${above.join(".")}\` | ${comment.replaceAll("|", "\\|")} | \`${usual.replaceAll("|", "\\|")}\` |`);
    comment = null;
  }
  return ["| value | meaning | usual |", "|---|---|---|", ...rows].join("\n");
}

function withTable(text, table) {
  const [begin, end] = ["<!-- values: made by deploy/helm/generate.mjs from values.yaml -->", "<!-- /values -->"];
  const [before, rest] = text.split(begin);
  const [, after] = rest.split(end);
  return `${before}${begin}\n${table}\n${end}${after}`;
}

/** One file for each template, without what is Helm's own. */
function kustomizeBase(path) {
  const args = ["template", "limbeck", chart, "--namespace", "limbeck", "--values", "deploy/kustomize/values.yaml"];
  const text = execFileSync(path, args, { cwd: root, encoding: "utf8" });
  const files = new Map();
  for (const part of text.split(/^---\n/m)) {
    const [, name] = /^# Source: limbeck\/templates\/([\w/]+\.yaml)\n/.exec(part) ?? [];
    if (name === undefined || name.includes("/")) continue;
    const own = part
      .replace(/^# Source: .*\n/, "")
      .replace(/^ *(helm\.sh\/chart|app\.kubernetes\.io\/managed-by): .*\n/gm, "")
      .replace(/^ *annotations:\n(?: *#.*\n)* *helm\.sh\/resource-policy: keep\n/gm, "")
      .trimEnd();
    files.set(name, `${files.has(name) ? `${files.get(name)}---\n` : ""}${own}\n`);
  }
  const names = [...files.keys()].sort();
  files.set(
    "kustomization.yaml",
    [
      "# Made by deploy/helm/generate.mjs from the chart; ../values.yaml says with which values. Change it by an overlay.",
      "# No monitors, rules and dashboards, which not every cluster knows, and no smoke test, which is Helm's: see the chart's README.",
      "apiVersion: kustomize.config.k8s.io/v1beta1",
      "kind: Kustomization",
      "namespace: limbeck",
      "resources:",
      ...names.map((name) => `  - ${name}`),
      "",
    ].join("\n"),
  );
  return files;
}

function differing() {
  const there = folders.flatMap((folder) =>
    existsSync(join(root, folder))
      ? readdirSync(join(root, folder), { withFileTypes: true })
          .filter((entry) => entry.isFile())
          .map(({ name }) => `${folder}/${name}`)
      : [],
  );
  const paths = [...new Set([...made.keys(), ...there])];
  return paths.filter((path) => !existsSync(join(root, path)) || read(path) !== made.get(path));
}

if (process.argv.includes("--check")) {
  const paths = differing();
  if (paths.length > 0) {
    console.error(`made by deploy/helm/generate.mjs, and not as it would make it now: ${paths.join(", ")}`);
    process.exitCode = 1;
  }
} else {
  for (const path of differing()) {
    const text = made.get(path);
    if (text === undefined) rmSync(join(root, path));
    else {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    }
  }
}
