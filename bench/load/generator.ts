/** A child process of a benchmark: many simulated workers. It tells how many of them stand where, and how late it was itself. */
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { type Role, type Standing, simulate } from "./simulated.ts";

export interface Counts {
  readonly standings: Readonly<Record<string, number>>;
  /** 99th percentile of how late this process's own timers were, in ms, since it was last asked. */
  readonly lateMs: number;
}

const [address = "", first = "0", count = "0", role = "student", progressMs = "0"] = process.argv.slice(2);
/** Between two that join. */
const apartMs = 2;

const standings: Record<string, number> = {};
const changed = (now: Standing, before: Standing | "") => {
  standings[now] = (standings[now] ?? 0) + 1;
  if (before !== "") standings[before] = standings[before]! - 1;
};
const delay = monitorEventLoopDelay({ resolution: 10 });
delay.enable();
process.on("message", () => {
  const counts: Counts = { standings, lateMs: Math.max(0, delay.percentile(99) / 1e6 - 10) };
  delay.reset();
  process.send!(counts);
});
process.on("disconnect", () => process.exit());

for (let each = 0; each < Number(count); each++) {
  const name = `w${Number(first) + each}`;
  const reports = { progressMs: Number(progressMs), doing: () => "training", changed };
  simulate({ address, name, role: role as Role, ...reports });
  await sleep(apartMs);
}
