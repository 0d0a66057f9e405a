/** docs/operations.md says what is so: of alerts what alerts.yml says, and no command, variable, stream or file that is not there. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { program } from "../../cli/program.ts";
import { eventStream, journalStream, leaseStream } from "../../proto/cluster.ts";
import { packagePath } from "../../proto/package.ts";
import { rulesOf } from "./rules.ts";

const page = readFileSync(packagePath("docs/operations.md"), "utf8");

test("what to do for each alert is what alerts.yml says", () => {
  const args = ["deploy/prometheus/runbook.mjs", "--check"];
  const { status, stderr } = spawnSync(process.execPath, args, { cwd: packagePath("."), encoding: "utf8" });
  assert.equal(status, 0, stderr);
  for (const { alert } of rulesOf("alerts.yml")) assert.ok(page.includes(`\n### ${alert}\n`), alert);
});

test("commands that are named are there", () => {
  const there = program().commands.map((each) => each.name());
  const named = [...page.matchAll(/\blimbeck (?:(?:--?\S+) )*([a-z]+)\b(?= [A-Z-]|`)/g)].map(([, name]) => name!);
  assert.ok(named.length > 8, `${named}`);
  for (const name of new Set(named)) assert.ok(there.includes(name), name);
});

test("variables, streams and files that are named are there", () => {
  const folders = ["cli", "coordinator", "worker", "proto", "deploy"];
  const sources = folders.flatMap((folder) =>
    readdirSync(packagePath(folder), { recursive: true, encoding: "utf8", withFileTypes: true })
      .filter((entry) => entry.isFile() && !entry.name.endsWith(".json"))
      .map((entry) => readFileSync(join(entry.parentPath, entry.name), "utf8")),
  );
  const variables = new Set([...page.matchAll(/\bLIMBECK_(?!<)\w+|\b\w+_(?:IMAGE|VERSION)\b/g)].map(([name]) => name));
  assert.ok(variables.size > 5);
  for (const name of variables)
    assert.ok(
      sources.some((text) => text.includes(name)),
      name,
    );
  const streams = [journalStream("<CLUSTER>"), eventStream("<CLUSTER>"), leaseStream("<cluster>")];
  for (const name of streams) assert.ok(page.includes(name), name);
  for (const [, path] of page.matchAll(/(?<![\w/])((?:deploy|test|examples)\/[\w./-]+\w)/g)) {
    // The chart is written apart.
    if (!path!.startsWith("deploy/helm")) assert.ok(existsSync(packagePath(path!)), path);
  }
  for (const [, path] of page.matchAll(/\]\(([^)]+)\)/g)) assert.ok(existsSync(packagePath(join("docs", path!))), path);
});
