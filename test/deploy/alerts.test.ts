/** Alerts and rules as promtool sees them, and whether each alert says enough and has its story. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { isMetric } from "../metricstext.ts";
import { findPromtool } from "../promtool.ts";
import { metricsIn, rulesFolder, rulesOf } from "./rules.ts";

for (const args of [
  ["check", "config", "prometheus.yml"],
  ["test", "rules", "alerts.test.yml"],
]) {
  test(`promtool ${args.join(" ")}`, (t) => {
    const promtool = findPromtool();
    if ("why" in promtool) return t.skip(promtool.why);
    execFileSync(promtool.path, args, { cwd: rulesFolder, stdio: "pipe" }); // Throws with what promtool says.
  });
}

test("every alert says what is the matter, what is likely behind it, and what to do", () => {
  for (const { alert, labels, annotations } of rulesOf("alerts.yml")) {
    assert.match(alert!, /^Limbeck[A-Z]/);
    assert.match(labels!["severity"]!, /^(critical|warning|info)$/, alert);
    assert.deepEqual(Object.keys(annotations!), ["summary", "description", "runbook"], alert);
    assert.match(
      annotations!["summary"]!,
      /\{\{ (or )?\$labels\.(limbeck_(job|worker)|job)\b/,
      `${alert}: of which job, worker or cluster`,
    );
    assert.match(annotations!["description"]!, /\.$/, alert);
    assert.match(annotations!["runbook"]!, /\.$/, alert);
  }
});

test("every alert fires in a story of alerts.test.yml", () => {
  const stories = readFileSync(`${rulesFolder}/alerts.test.yml`, "utf8");
  const fires = new Set([...stories.matchAll(/alertname="(\w+)"/g)].map(([, name]) => name));
  assert.deepEqual(
    [...fires].sort(),
    rulesOf("alerts.yml")
      .map(({ alert }) => alert)
      .sort(),
  );
});

test("rules and alerts speak of metrics that there are", () => {
  const rules = [...rulesOf("rules.yml"), ...rulesOf("alerts.yml")];
  const recorded = rules.flatMap(({ record }) => record ?? []);
  for (const { expr, alert, record } of rules) {
    const metrics = metricsIn(expr);
    assert.ok(metrics.length > 0, expr);
    for (const metric of metrics)
      assert.ok(isMetric(metric) || recorded.includes(metric), `${alert ?? record}: ${metric}`);
  }
});
