/**
 * One of three students gets a tenth of its time (stopped for 90 of every 100 ms): steps a second of the other two alone, and of
 * all three, in windows from the moment it becomes slow.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { chaosJob, until } from "../test/chaos/chaos.ts";
import { Cluster } from "../test/chaos/cluster.ts";

const windowMs = 40_000;
const windows = 3;
const [stoppedMs, runningMs] = [90, 10];
const endlessSteps = 10_000_000;

const folder = mkdtempSync(join(tmpdir(), "limbeck-straggler-"));
const cluster = await Cluster.start(join(folder, "run"), [
  ...chaosJob(endlessSteps),
  "--set",
  "teach.steps=20",
  "--set",
  "workers.teachers=1",
]);
const slow = "student-3";
let isSlow = false;

/** Steps a second, over the next window. */
async function rate(): Promise<number> {
  const startedMs = Date.now();
  await sleep(windowMs);
  const steps = cluster.events().filter((event) => event.kind === "stepped" && event.stage === "distil");
  const within = steps.filter(({ atMs }) => atMs >= startedMs) as { step: number; atMs: number }[];
  const [first, last] = [within[0], within.at(-1)];
  if (!first || !last || last.atMs === first.atMs) return 0;
  return Number(((last.step - first.step) / ((last.atMs - first.atMs) / 1000)).toFixed(1));
}

async function beSlow(pid: number): Promise<void> {
  while (isSlow) {
    process.kill(pid, "SIGSTOP");
    await sleep(stoppedMs);
    process.kill(pid, "SIGCONT");
    await sleep(runningMs);
  }
}

const hasStepped = (count: number) => () =>
  cluster.events().filter((event) => event.kind === "stepped" && event.stage === "distil").length > count;
try {
  await cluster.join("teacher-1", "teacher");
  await cluster.join("student-1", "student");
  await cluster.join("student-2", "student");
  if (!(await until(hasStepped(20), 120_000))) throw new Error("no step came in 120 s");
  const alone = await rate();
  await cluster.join(slow, "student");
  const isMember = () => {
    const opened = cluster.events().filter((event) => event.kind === "term-opened");
    return opened.at(-1)?.deal.some(({ worker }) => worker === slow) ?? false;
  };
  if (!(await until(isMember, 60_000))) throw new Error(`${slow} did not join`);
  const whole = await rate();
  isSlow = true;
  const slowing = beSlow(cluster.members.get(slow)!.child!.process.pid!);
  const slowed: number[] = [];
  for (let window = 0; window < windows; window++) slowed.push(await rate());
  isSlow = false;
  await slowing;
  const events = cluster.events();
  const terms = events.filter((event) => event.kind === "term-opened").map(({ why }) => why);
  const shares = slowed.map((each) => Number((each / alone).toFixed(3)));
  process.stdout.write(
    `${JSON.stringify({ bench: "straggler", alone, whole, slowed, shares, terms: terms.length })}\n`,
  );
  process.stderr.write(`${terms.join("\n")}\n`);
} finally {
  await cluster.close();
}
if (cluster.surprises.length > 0) process.stderr.write(`${cluster.surprises.join("\n")}\nsee ${folder}\n`);
else rmSync(folder, { recursive: true });
