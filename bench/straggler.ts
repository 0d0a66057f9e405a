/**
 * `npm run bench -- straggler [student|teacher]`: one of three students, or of three teachers, gets a tenth of its time (stopped
 * for 90 of every 100 ms): steps a second of the other two alone, and of all three, in windows from the moment it becomes slow.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { chaosJob, until } from "../test/chaos/chaos.ts";
import { Cluster, type Role } from "../test/chaos/cluster.ts";
import { distilRate, distilSteps } from "../test/chaos/measure.ts";

const windowMs = 40_000;
const windows = 3;
const [stoppedMs, runningMs] = [90, 10];
const endlessSteps = 10_000_000;

/** With students, what they compute is what takes the time; with teachers, what those do. */
const settings = {
  student: ["workers.teachers=1"],
  teacher: ["workers.teachers=2", "teacher.widths=[1200, 1200]", "student.widths=[32]"],
};
const role: Role = process.argv[3] === "teacher" ? "teacher" : "student";
const set = [...settings[role], "teach.steps=20"].flatMap((each) => ["--set", each]);

const folder = mkdtempSync(join(tmpdir(), "limbeck-straggler-"));
const cluster = await Cluster.start(join(folder, "run"), [...chaosJob(endlessSteps), ...set]);
const slow = `${role}-3`;
let isSlow = false;

/** Steps a second, over the next window. */
async function rate(): Promise<number> {
  const startedMs = Date.now();
  await sleep(windowMs);
  return Number(distilRate(cluster.events(), startedMs, Number.POSITIVE_INFINITY).toFixed(1));
}

async function beSlow(pid: number): Promise<void> {
  while (isSlow) {
    process.kill(pid, "SIGSTOP");
    await sleep(stoppedMs);
    process.kill(pid, "SIGCONT");
    await sleep(runningMs);
  }
}

const hasStepped = (count: number) => () => distilSteps(cluster.events(), 0, Number.POSITIVE_INFINITY).length > count;
try {
  await cluster.join(role === "student" ? "teacher-1" : "student-1", role === "student" ? "teacher" : "student");
  for (const name of [`${role}-1`, `${role}-2`]) await cluster.join(name, role);
  if (!(await until(hasStepped(20), 120_000))) throw new Error("no step came in 120 s");
  const alone = await rate();
  await cluster.join(slow, role);
  const isMember = () => {
    const opened = cluster.events().filter((event) => event.kind === "term-opened");
    const { deal = [], teachers = [] } = opened.at(-1) ?? {};
    return teachers.includes(slow) || deal.some(({ worker }) => worker === slow);
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
    `${JSON.stringify({ bench: "straggler", role, alone, whole, slowed, shares, terms: terms.length })}\n`,
  );
  process.stderr.write(`${terms.join("\n")}\n`);
} finally {
  await cluster.close();
}
if (cluster.surprises.length > 0) process.stderr.write(`${cluster.surprises.join("\n")}\nsee ${folder}\n`);
else rmSync(folder, { recursive: true });
