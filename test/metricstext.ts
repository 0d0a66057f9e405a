/** What a page of metrics must be like, whoever serves it. */
import assert from "node:assert/strict";
import { coordinatorMetrics } from "../core/metrics/coordinator.ts";
import type { MetricDefinition } from "../core/metrics/definition.ts";
import { buildMetrics, grpcClientMetrics, grpcServerMetrics } from "../core/metrics/process.ts";
import { serviceMetrics } from "../core/metrics/service.ts";
import { workerMetrics } from "../core/metrics/worker.ts";

const all = [coordinatorMetrics, serviceMetrics, workerMetrics, buildMetrics, grpcClientMetrics, grpcServerMetrics];
const definitions = new Map<string, MetricDefinition>(
  all.flatMap((group) => Object.values<MetricDefinition>(group).map((each) => [each.name, each] as const)),
);

/** There is a metric with series of this name: Limbeck's, prom-client's, or Prometheus' own. */
export function isMetric(name: string): boolean {
  if (/^(process|nodejs)_/.test(name) || name === "up" || name === "ALERTS") return true;
  if (definitions.has(name)) return definitions.get(name)!.type !== "histogram";
  return definitions.get(name.replace(/_(bucket|sum|count)$/, ""))?.type === "histogram";
}

/** Every series is of a definition, or prom-client's own; its labels have values that the definition allows. */
export function assertWellFormed(text: string): void {
  const kinds = new Map([...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, kind]) => [name!, kind!]));
  for (const [name, kind] of kinds) {
    assert.equal(name.endsWith("_total"), kind === "counter", name);
    const definition = definitions.get(name);
    if (definition) assert.equal(kind, definition.type, name);
    else assert.match(name, /^(process|nodejs)_/, "not in core/metrics");
  }
  for (const { name, labels } of series(text)) {
    const family = kinds.has(name) ? name : name.replace(/_(bucket|sum|count)$/, "");
    const definition = definitions.get(family);
    if (!definition) continue;
    for (const [label, value] of Object.entries(labels)) {
      if (label === "le" && definition.type === "histogram") continue;
      const allowed = definition.labels[label];
      assert.ok(allowed !== undefined, `${name} has no label ${label}`);
      if (typeof allowed !== "string") assert.ok(allowed.includes(value), `${name}{${label}="${value}"}`);
    }
  }
}

export interface Series {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export function series(text: string): Series[] {
  return text.split("\n").flatMap((line) => {
    const [, name, labels = "", value] = /^([a-z_0-9]+)(?:\{(.*)\})? (\S+)$/i.exec(line) ?? [];
    if (name === undefined) return [];
    const pairs = [...labels.matchAll(/([a-z_]+)="([^"]*)"/g)].map(([, label, text]) => [label!, text!]);
    return [{ name, labels: Object.fromEntries(pairs), value: Number(value) }];
  });
}
