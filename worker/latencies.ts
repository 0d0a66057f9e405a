/** How long a model takes for a batch, on this worker's engine, with whatever else runs on its machine. */
import { sizeOf } from "../core/layout.ts";
import type { Latency } from "../proto/gen/limbeck/v1/Latency.ts";
import { Arena } from "./arena.ts";
import type { EvaluationPlan } from "./evaluate.ts";

/** Passes that do not count: kernels are chosen and memory is touched for the first time. */
const warmupPasses = 3;
/** Of each batch size: enough for a 95th percentile, unless they take longer than this. */
const passes = 100;
const atMostMs = 1_500;
const fewestPasses = 5;

/** Of one example, and of a batch as in evaluations; the inputs are examples of the split, in inference mode. */
export async function measureLatencies(plan: EvaluationPlan, signal: AbortSignal): Promise<Latency[]> {
  const largest = Math.min(plan.batch, plan.dataset.count(plan.split));
  const latencies: Latency[] = [];
  for (const batch of new Set([1, largest])) latencies.push(await measure(plan, batch, signal));
  return latencies;
}

async function measure(plan: EvaluationPlan, batch: number, signal: AbortSignal): Promise<Latency> {
  const { device, network: name, dataset, split } = plan;
  const floats = batch * sizeOf(dataset.shape);
  const inputs = Arena.create(4 * floats).floats(floats);
  dataset.examples(
    split,
    Uint32Array.from({ length: batch }, (_, example) => example),
    null,
    inputs,
  );
  const seconds: number[] = [];
  const begin = performance.now();
  for (let pass = -warmupPasses; pass < passes; pass++) {
    signal.throwIfAborted();
    const start = performance.now();
    if (pass >= fewestPasses && start - begin > atMostMs) break;
    await device.ask("logits", { name, inputs, count: batch });
    if (pass >= 0) seconds.push((performance.now() - start) / 1000);
  }
  seconds.sort((a, b) => a - b);
  return { batch, medianSeconds: quantile(seconds, 0.5), p95Seconds: quantile(seconds, 0.95) };
}

/** The smallest of the sorted values that at least this share of them does not exceed. */
function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]!;
}
