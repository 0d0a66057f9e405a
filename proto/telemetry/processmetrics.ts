/** The registry of a process: its build, its gRPC calls, and what prom-client knows of process, event loop and garbage collection. */
import { collectDefaultMetrics, Registry } from "prom-client";
import { buildMetrics } from "../../core/metrics/process.ts";
import { packageVersion } from "../package.ts";
import { register } from "./registry.ts";

/** Gauges named as counters are: `promtool check metrics` refuses them. Each has another without `_total` beside it. */
const misnamed = ["nodejs_active_handles_total", "nodejs_active_requests_total", "nodejs_active_resources_total"];

export function processRegistry(): Registry {
  const registry = new Registry();
  register(registry, buildMetrics).build.set({ version: packageVersion }, 1);
  collectDefaultMetrics({ register: registry });
  for (const name of misnamed) registry.removeSingleMetric(name);
  return registry;
}
