/**
 * From the submission of examples/smoke.yaml to its first step, with three idle workers, several times over: how long,
 * and where the time goes. Each job has fresh worker processes, started before it is submitted.
 * `npm run bench -- service [RUNS]`
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { ProgressEvent } from "../core/events.ts";
import { effectiveJobYaml, parseJob } from "../core/jobfile.ts";
import { packagePath } from "../proto/package.ts";
import { coordinatorClient } from "../proto/wire.ts";
import { openJobs, type RunningCoordinator, startCoordinator } from "./load/children.ts";
import { percentiles, print, rounded } from "./load/figures.ts";

const runs = Number(process.argv[3] ?? 3);
const roles = ["student", "student", "teacher"] as const;
const idleMs = 60_000;

const file = packagePath("examples/smoke.yaml");
const smoke = parseJob(readFileSync(file, "utf8"), file);

/** Of a run, by what had happened: ms since the submission. */
type Times = Readonly<Record<"joined" | "prepared" | "opened" | "begun" | "examined" | "stepped", number>>;

function startWorkers(address: string, run: number): ChildProcess[] {
  return roles.map((role, at) => {
    const options = ["--coordinator", address, "--role", role, "--name", `${role}-${run}-${at}`];
    const main = packagePath("dist/cli/main.js");
    return spawn(process.execPath, [main, "worker", ...options], { stdio: "ignore" });
  });
}

async function untilIdle({ httpAddress }: RunningCoordinator): Promise<void> {
  for (const endMs = performance.now() + idleMs; performance.now() < endMs; await sleep(200)) {
    const text = await (await fetch(`http://${httpAddress}/metrics`)).text();
    if (text.includes(`limbeck_service_workers{place="idle"} ${roles.length}`)) return;
  }
  throw new Error("the workers are not idle");
}

async function oneRun(coordinator: RunningCoordinator, run: number): Promise<Times> {
  const workers = startWorkers(coordinator.address, run);
  const jobs = openJobs(coordinator.address);
  const client = coordinatorClient(coordinator.address);
  try {
    await untilIdle(coordinator);
    const startedMs = Date.now();
    const job = effectiveJobYaml(smoke, "/");
    const { job: id } = await jobs.submit({ job, name: `smoke-${run}`, priority: 0, sources: [], by: "bench" });
    const times: Record<string, number> = {};
    const names: Partial<Record<ProgressEvent["kind"], keyof Times>> = {
      "worker-joined": "joined",
      "worker-prepared": "prepared",
      "term-opened": "opened",
      "term-begun": "begun",
      diagnosed: "examined",
      stepped: "stepped",
    };
    const watch = client.watch({ job: id });
    watch.on("error", () => {});
    for await (const { event } of watch) {
      const { kind, atMs } = JSON.parse(event) as ProgressEvent;
      const name = names[kind];
      // Of those that happen to each worker, the last.
      if (name) times[name] = atMs - startedMs;
      if (kind === "stepped") break;
    }
    watch.cancel();
    await jobs.control({ job: id, action: "cancel", why: "seen" });
    return times as Times;
  } finally {
    for (const worker of workers) worker.kill("SIGKILL");
    await Promise.all(workers.map((worker) => worker.exitCode ?? worker.signalCode ?? once(worker, "exit")));
    jobs.close();
    client.close();
  }
}

const folder = mkdtempSync(join(tmpdir(), "limbeck-service-"));
const coordinator = await startCoordinator(folder);
const found: Times[] = [];
try {
  for (let run = 1; run <= runs; run++) found.push(await oneRun(coordinator, run));
} finally {
  await coordinator.kill();
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
}
const medianOf = (name: keyof Times) => {
  const times = found.flatMap((each) => each[name] ?? []);
  return times.length === 0 ? null : rounded(percentiles(times)!.p50, 0);
};
const names = ["joined", "prepared", "opened", "begun", "examined", "stepped"] as const;
print("service", { runs, untilMs: Object.fromEntries(names.map((name) => [name, medianOf(name)])) });
process.exit();
