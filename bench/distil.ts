/**
 * Steady samples/s of the distil stage in both numerics, memory of the whole job, and time to the first step; the same where
 * inputs are sent to the teacher, as a share of the rate with ids; and with a warm cache, the rate of distil against that of the baseline, which has no teacher.
 */
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { ProgressEvent } from "../core/events.ts";
import { packagePath } from "../proto/package.ts";

interface Measured {
  readonly samplesPerSecond: number;
  /** Of the stage without a teacher; 0 where the job has none. */
  readonly baselinePerSecond: number;
  readonly firstStepSeconds: number;
  readonly residentMiB: number;
}

/** Resident MiB of a process and all below it. Shared pages count once per process. */
function residentMiB(root: number): number {
  const rows = execFileSync("ps", ["-eo", "pid,ppid,rss"], { encoding: "utf8" }).trim().split("\n").slice(1);
  const processes = rows.map((row) => row.trim().split(/\s+/).map(Number) as [number, number, number]);
  const family = new Set([root]);
  for (const [pid, parent] of processes) if (family.has(parent)) family.add(pid);
  return processes.reduce((total, [pid, , kibibytes]) => (family.has(pid) ? total + kibibytes / 1024 : total), 0);
}

async function measure(...set: string[]): Promise<Measured> {
  const folder = mkdtempSync(join(tmpdir(), "limbeck-bench-"));
  const started = performance.now();
  const args = [
    packagePath("dist/cli/main.js"),
    "run",
    packagePath("bench/distil.yaml"),
    "--out",
    join(folder, "run"),
    "-o",
    "json",
    ...set.flatMap((each) => ["--set", each.replace("SCRATCH", folder)]),
  ];
  const run = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  let firstStepSeconds = 0;
  let peakMiB = 0;
  const rates = { teach: [] as number[], distil: [] as number[], baseline: [] as number[] };
  const watch = setInterval(() => {
    peakMiB = Math.max(peakMiB, residentMiB(run.pid!));
  }, 1000);
  for await (const line of createInterface({ input: run.stdout })) {
    const event = JSON.parse(line) as ProgressEvent;
    if (event.kind !== "stepped") continue;
    firstStepSeconds ||= (performance.now() - started) / 1000;
    // The first half warms up: V8 compiles what is hot while it runs.
    if (event.step > event.steps / 2) rates[event.stage].push(event.samplesPerSecond);
  }
  clearInterval(watch);
  rmSync(folder, { recursive: true });
  return {
    samplesPerSecond: mean(rates.distil),
    baselinePerSecond: mean(rates.baseline),
    firstStepSeconds: Number(firstStepSeconds.toFixed(2)),
    residentMiB: Math.round(peakMiB),
  };
}

function mean(rates: readonly number[]): number {
  return rates.length === 0 ? 0 : Math.round(rates.reduce((sum, rate) => sum + rate, 0) / rates.length);
}

const fast = await measure("numerics=fast");
const exact = await measure("numerics=exact");
const tensors = await measure("numerics=exact", "softTargets.inputs=tensors");
// Four epochs: from the second on every soft target lies in the cache.
const warm = await measure("baseline=true", "softTargets.cache={dir: SCRATCH/cache}");
const shared = (measured: Measured, of: number) => ({
  ...measured,
  share: Number((measured.samplesPerSecond / of).toFixed(3)),
});
const result = {
  bench: "distil",
  ...{ fast, exact },
  tensors: shared(tensors, exact.samplesPerSecond),
  warm: shared(warm, warm.baselinePerSecond),
};
process.stdout.write(`${JSON.stringify(result)}\n`);
