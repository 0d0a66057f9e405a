/** Figures as the benchmarks print them. */
import { loadavg } from "node:os";

/** Of measured times in ms; null where there are none. */
export function percentiles(times: readonly number[]) {
  if (times.length === 0) return null;
  const sorted = [...times].sort((one, other) => one - other);
  const at = (share: number) => rounded(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!);
  return { count: sorted.length, p50: at(0.5), p99: at(0.99), max: at(1) };
}

export function rounded(value: number, digits = 1): number {
  return Number(value.toFixed(digits));
}

/** What else the machine did: processes that wanted a processor over the last minute. */
export function load(): number {
  return rounded(loadavg()[0]!);
}

export function print(bench: string, figures: object): void {
  process.stdout.write(`${JSON.stringify({ bench, ...figures, load: load() })}\n`);
}
