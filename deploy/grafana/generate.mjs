/**
 * Writes the dashboards of deploy/grafana/*.ts into deploy/grafana/dashboards. They must be built (npm run build).
 *   node deploy/grafana/generate.mjs          writes them
 *   node deploy/grafana/generate.mjs --check  exits 1 where the checked-in dashboards are not those of the sources (CI)
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { dashboards } from "../../dist/deploy/grafana/dashboards.js";

const folder = fileURLToPath(new URL("dashboards", import.meta.url));
const made = dashboards();

function check() {
  const have = new Map(readdirSync(folder).map((name) => [name, readFileSync(`${folder}/${name}`, "utf8")]));
  const names = [...new Set([...made.keys(), ...have.keys()])];
  const differing = names.filter((name) => made.get(name) !== have.get(name));
  if (differing.length === 0) return;
  console.error(
    `deploy/grafana/dashboards differs from its sources in ${differing.join(", ")}: run npm run dashboards`,
  );
  process.exitCode = 1;
}

if (process.argv.includes("--check")) {
  check();
} else {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  for (const [name, text] of made) writeFileSync(`${folder}/${name}`, text);
}
