/** 50 SIGKILLs and 20 SIGSTOPs of students: time from the fault to the next finished step. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { chaosJob, startCluster, until } from "../test/chaos/chaos.ts";
import { measure, type Percentiles } from "../test/chaos/measure.ts";
import { type Struck, strike } from "../test/chaos/strike.ts";

const faults = [
  { kind: "kill-student", count: 50, lastsMs: 500 },
  { kind: "freeze", count: 20, lastsMs: 4_000 },
] as const;
/** Long enough for all to be members again. */
const restMs = 6_000;
const endlessSteps = 10_000_000;

const folder = mkdtempSync(join(tmpdir(), "limbeck-recovery-"));
const cluster = await startCluster(join(folder, "run"), chaosJob(endlessSteps));
const found: Record<string, Percentiles | null> = {};
try {
  const isUp = await until(() => cluster.events().some(({ kind }) => kind === "stepped"), 120_000);
  if (!isUp) throw new Error("no step came in 120 s");
  for (const { kind, count, lastsMs } of faults) {
    const done: Struck[] = [];
    for (let number = 0; number < count; number++) {
      const students = cluster.living("student").length;
      const all = cluster.living().length;
      // Students come first by name: a target below their share is one of them, never the same twice in a row.
      const target = ((number * 0.37) % 1) * (kind === "freeze" ? students / all : 1);
      await strike(cluster, { atMs: 0, kind, target, lastsMs }, (struck) => done.push(struck));
      await sleep(restMs);
    }
    found[kind] = measure(cluster.events(), done).recoveryMs;
  }
} finally {
  await cluster.close();
}
process.stdout.write(
  `${JSON.stringify({ bench: "recovery", killMs: found["kill-student"], stopMs: found["freeze"] })}\n`,
);
if (cluster.surprises.length > 0) process.stderr.write(`${cluster.surprises.join("\n")}\nsee ${folder}\n`);
else rmSync(folder, { recursive: true });
