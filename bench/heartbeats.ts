/**
 * 1,000 simulated workers on one coordinator: how long a heartbeat takes, and what the coordinator uses meanwhile. Once
 * with all of them idle, once as members of one job, without reports of steps and with.
 * `npm run bench -- heartbeats [WORKERS] [SECONDS]`
 */
import type { ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { answerOf, openJobs, type RunningCoordinator, startChild, startCoordinator } from "./load/children.ts";
import { percentiles, print, rounded } from "./load/figures.ts";
import type { Counts } from "./load/generator.ts";
import { jobText } from "./load/jobs.ts";

const workers = Number(process.argv[3] ?? 1_000);
const seconds = Number(process.argv[4] ?? 20);
/** Processes that share the simulated workers. */
const generators = 2;
const settleMs = 3_000;
const only = process.env["BENCH_ONLY"] ?? "";
/** Between two reports of steps of a member, ms; a real one sends them as often, where its steps are short. */
const progressMs = 1_000;

interface Load {
  readonly children: readonly ChildProcess[];
  /** Those that stand there, over all generators. */
  standing(where: string): Promise<number>;
  lateMs(): Promise<number>;
  close(): void;
}

function startLoad(address: string, count: number, reportsMs: number): Load {
  const each = Math.ceil(count / generators);
  const children = Array.from({ length: generators }, (_, at) => {
    const share = Math.min(each, count - at * each);
    return startChild("generator.js", [address, String(at * each), String(share), "student", String(reportsMs)]);
  });
  const ask = async () => {
    const answers = children.map((child) => answerOf<Counts>(child));
    for (const child of children) child.send("counts");
    return await Promise.all(answers);
  };
  return {
    children,
    standing: async (where) => (await ask()).reduce((sum, { standings }) => sum + (standings[where] ?? 0), 0),
    lateMs: async () => Math.max(...(await ask()).map(({ lateMs }) => lateMs)),
    close: () => {
      for (const child of children) child.disconnect();
    },
  };
}

async function until(isSo: () => Promise<boolean>, withinMs: number, what: string): Promise<number> {
  const startedMs = performance.now();
  while (!(await isSo())) {
    if (performance.now() - startedMs > withinMs) throw new Error(`${what}: not in ${withinMs / 1_000} s`);
    await sleep(250);
  }
  return (performance.now() - startedMs) / 1_000;
}

/** What the prober and the coordinator show over the given time. */
async function measure(coordinator: RunningCoordinator, prober: ChildProcess, load: Load) {
  await sleep(settleMs);
  await timesOf(prober);
  await load.lateMs();
  const before = await coordinator.usage();
  const startedMs = performance.now();
  await sleep(1_000 * seconds);
  const after = await coordinator.usage();
  const tookSeconds = (performance.now() - startedMs) / 1_000;
  return {
    roundTripMs: percentiles(await timesOf(prober)),
    cores: rounded((after.cpuSeconds - before.cpuSeconds) / tookSeconds, 2),
    residentMebibytes: rounded(after.residentMebibytes, 0),
    longestHoldMs: rounded(after.longestHoldMs),
    generatorsLateMs: rounded(await load.lateMs()),
  };
}

async function timesOf(prober: ChildProcess): Promise<number[]> {
  const answer = answerOf<number[]>(prober);
  prober.send("times");
  return await answer;
}

async function withCoordinator<T>(work: (coordinator: RunningCoordinator) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "limbeck-heartbeats-"));
  const coordinator = await startCoordinator(folder);
  try {
    return await work(coordinator);
  } finally {
    if (process.env["BENCH_NODE_OPTIONS"]) await coordinator.close();
    else await coordinator.kill();
    rmSync(folder, { recursive: true, force: true });
  }
}

const idle = () =>
  withCoordinator(async (coordinator) => {
    const load = startLoad(coordinator.address, workers, 0);
    const joinSeconds = await until(async () => (await load.standing("idle")) === workers, 120_000, "all idle");
    const prober = startChild("prober.js", [coordinator.address, "idle"]);
    const found = await measure(coordinator, prober, load);
    prober.disconnect();
    load.close();
    return { joinSeconds: rounded(joinSeconds), ...found };
  });

const members = (reportsMs: number) =>
  withCoordinator(async (coordinator) => {
    const jobs = openJobs(coordinator.address);
    const job = jobText({ name: "crowd", students: workers });
    const { job: id } = await jobs.submit({ job, name: "crowd", priority: 0, sources: [], by: "bench" });
    const prober = startChild("prober.js", [coordinator.address, "members", id]);
    // One teacher; the prober has four of the students.
    const load = startLoad(coordinator.address, workers - 4, reportsMs);
    const teacher = startChild("generator.js", [coordinator.address, "100000", "1", "teacher"]);
    const all = async () => (await load.standing("training")) === workers - 4;
    const beginSeconds = await until(all, 180_000, "all training");
    const found = await measure(coordinator, prober, load);
    const still = await load.standing("training");
    for (const child of [prober, teacher]) child.disconnect();
    load.close();
    jobs.close();
    return { beginSeconds: rounded(beginSeconds), members: still + 4, ...found };
  });

print("heartbeats", {
  workers,
  seconds,
  ...((only === "" || only === "idle") && { idle: await idle() }),
  ...((only === "" || only === "members") && { members: await members(0) }),
  ...((only === "" || only === "reporting") && { reporting: await members(progressMs) }),
});
process.exit();
