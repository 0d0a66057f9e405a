/** The reference page of the metrics, docs/metrics.md, from their definitions in core/metrics/. */
import { coordinatorMetrics } from "../core/metrics/coordinator.ts";
import type { MetricDefinition, MetricDefinitions } from "../core/metrics/definition.ts";
import { buildMetrics, grpcClientMetrics, grpcServerMetrics } from "../core/metrics/process.ts";
import { serviceMetrics } from "../core/metrics/service.ts";
import { workerMetrics } from "../core/metrics/worker.ts";

interface Part {
  readonly title: string;
  readonly says: string;
  readonly metrics: MetricDefinitions;
}

const parts: readonly Part[] = [
  {
    title: "Coordinator",
    says: "One job has one coordinator. In a service these are of a job's own target, which has nothing of the process (`process_*`, `nodejs_*`, `grpc_*`). Its `limbeck_worker_*` series have one worker each, and go when it goes.",
    metrics: coordinatorMetrics,
  },
  {
    title: "Service",
    says: "Coordinators of a service (`limbeck coordinator` without a job) have these beside; each job that one of them decides is a target of its own, `/jobs/ID/metrics`, with the coordinator's.",
    metrics: serviceMetrics,
  },
  {
    title: "Workers",
    says: "Every worker has all of these, whatever its role; what it does not do stays at zero.",
    metrics: workerMetrics,
  },
  {
    title: "Every process",
    says: "Coordinator and workers; `grpc_client_*` only workers. With them comes what prom-client knows of a process: `process_*` (processor time, memory, files), `nodejs_eventloop_lag_*`, `nodejs_gc_duration_seconds`, `nodejs_heap_*`.",
    metrics: { ...buildMetrics, ...prefixed("server", grpcServerMetrics), ...prefixed("client", grpcClientMetrics) },
  },
];

/** Of all processes, each as it is defined, with the processes that have it. */
export function metricsDefinitions(): (MetricDefinition & { readonly of: string })[] {
  return parts.flatMap(({ title, metrics }) => Object.values(metrics).map((metric) => ({ of: title, ...metric })));
}

/** Markdown. */
export function metricsReference(): string {
  return [
    "<!-- Made by `limbeck schema --metrics` from the definitions in core/metrics/. Change it there. -->",
    "# Metrics",
    "The coordinator and every worker serve `/metrics` on a port of their own, `--http`: in Prometheus' text format, or in OpenMetrics where that is asked for. `/targets` of the coordinator lists them all, for Prometheus' `http_sd_configs`:",
    "```yaml\nscrape_configs:\n  - job_name: limbeck\n    http_sd_configs: [{ url: http://COORDINATOR:7071/targets, refresh_interval: 10s }]\n```",
    "Targets from there have the labels `limbeck_job`, `limbeck_role` (`coordinator`, `student`, `teacher`; `auto` for one that waits to be given a role) and `limbeck_worker`. What is of no job has an empty `limbeck_job`, which is none to Prometheus: a service's coordinators, and workers that wait for a job. Other series are joined with them by `instance`, which `limbeck_worker_info` has as `http`.",
    "Names end in their unit; counters end in `_total`. Counters and histograms start at zero for every value of their labels; a gauge is there once it was measured. No label is a step, an example or a text, so their number is bounded: by the values given here, or by the workers of the job.",
    ...parts.flatMap(({ title, says, metrics }) => [`## ${title}`, says, table(Object.values(metrics))]),
    "",
  ].join("\n\n");
}

function prefixed(prefix: string, metrics: MetricDefinitions): MetricDefinitions {
  return Object.fromEntries(Object.entries(metrics).map(([key, metric]) => [`${prefix}-${key}`, metric]));
}

function table(metrics: readonly MetricDefinition[]): string {
  const rows = metrics.map((metric) => {
    const cells = [`\`${metric.name}\``, metric.type, labelsText(metric), helpText(metric)];
    return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  });
  return ["| metric | type | labels | meaning |", "|---|---|---|---|", ...rows].join("\n");
}

function labelsText({ labels }: MetricDefinition): string {
  const described = Object.entries(labels).map(([label, values]) => {
    const text = typeof values === "string" ? values : values.map((value) => `\`${value}\``).join(", ");
    return `\`${label}\`: ${text}`;
  });
  return described.join("; ") || "–";
}

function helpText(metric: MetricDefinition): string {
  if (metric.type !== "histogram") return metric.help;
  return `${metric.help} Buckets up to ${metric.buckets.join(", ")}.`;
}
