/**
 * Writes what to do for each alert into docs/operations.md, from alerts.yml, where it is said for Alertmanager, too.
 * `--check`: fails where the page says something else.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";

const path = (name) => fileURLToPath(new URL(name, import.meta.url));
const page = path("../../docs/operations.md");
const [begin, end] = ["<!-- alerts: node deploy/prometheus/runbook.mjs -->", "<!-- /alerts -->"];

/** Labels by their names, for nobody knows their values here. */
const called = (label) => label.replace(/^limbeck_/, "the ").replace(/^job$/, "the cluster");
const plain = (text) =>
  text
    .replace(/\{\{ or \$labels\.(\w+) \$labels\.(\w+) \}\}/g, (_, one, other) => `${called(one)} or ${called(other)}`)
    .replace(/\{\{ \$labels\.(\w+) \}\}/g, (_, label) => called(label))
    .replace(/\{\{ \$value[^}]*\}\}/g, "N")
    .replace(/^\w/, (letter) => letter.toUpperCase())
    .trim();

const { groups } = parse(readFileSync(path("alerts.yml"), "utf8"));
const sections = groups
  .flatMap(({ rules }) => rules)
  .map(({ alert, for: lasting = "0m", labels, annotations: { summary, description, runbook } }) => {
    return `### ${alert}\n\n*${labels.severity}, after ${lasting}.* ${plain(summary)}. ${plain(description)}\n\n**Do:** ${plain(runbook)}\n`;
  });

const before = readFileSync(page, "utf8");
const [from, to] = [before.indexOf(begin) + begin.length, before.indexOf(end)];
if (from < begin.length || to < from) throw new Error(`${page} lacks ${begin} … ${end}`);
const after = `${before.slice(0, from)}\n\n${sections.join("\n")}\n${before.slice(to)}`;

if (!process.argv.includes("--check")) writeFileSync(page, after);
else if (after !== before) {
  console.error("runbook: docs/operations.md is not what alerts.yml says: node deploy/prometheus/runbook.mjs");
  process.exitCode = 1;
}
