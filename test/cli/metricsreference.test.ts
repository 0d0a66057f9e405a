import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { metricsReference } from "../../cli/metricsreference.ts";
import { coordinatorMetrics } from "../../core/metrics/coordinator.ts";
import { labelSets, type MetricDefinition } from "../../core/metrics/definition.ts";
import { buildMetrics, grpcClientMetrics, grpcServerMetrics } from "../../core/metrics/process.ts";
import { serviceMetrics } from "../../core/metrics/service.ts";
import { workerMetrics } from "../../core/metrics/worker.ts";
import { packagePath } from "../../proto/package.ts";

const groups = {
  coordinatorMetrics,
  serviceMetrics,
  workerMetrics,
  buildMetrics,
  grpcClientMetrics,
  grpcServerMetrics,
};
const definitions = Object.values(groups).flatMap((group) => Object.values<MetricDefinition>(group));

test("docs/metrics.md is what the definitions say; `limbeck schema --metrics > docs/metrics.md` makes it again", () => {
  assert.equal(readFileSync(packagePath("docs/metrics.md"), "utf8"), metricsReference());
  for (const { name } of definitions) assert.ok(metricsReference().includes(`| \`${name}\` |`), name);
});

test("no two metrics share a name: what a worker measures the coordinator does not measure, too", () => {
  const names = definitions.map(({ name }) => name);
  assert.deepEqual(names, [...new Set(names)]);
});

test("names, labels and help are as Prometheus wants them", () => {
  for (const { name, type, help, labels } of definitions) {
    assert.equal(name.endsWith("_total"), type === "counter", name);
    assert.match(help, /\.$/, name);
    for (const label of Object.keys(labels)) assert.doesNotMatch(label, /^(step|example|shard|why|message|le|job)$/);
    if (type === "histogram") assert.ok(!("worker" in labels), `${name}: a histogram for every worker is too much`);
    if (type !== "gauge") assert.ok(!("worker" in labels), `${name}: what counts by worker cannot go with it`);
    assert.ok(labelSets(labels).length <= 60, `${name} has ${labelSets(labels).length} series before anything happens`);
  }
});
