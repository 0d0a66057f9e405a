/**
 * What an open page costs: the share of a core that its script and its renderer take, by Chromium's own count, the
 * coordinator's share of a core, and the rate of training, with the page open and closed in turns.
 * `npm run bench -- page [SECONDS]`: for each turn.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout } from "node:timers/promises";
import type { CDPSession } from "playwright-core";
import type { ProgressEvent } from "../core/events.ts";
import { median } from "../core/median.ts";
import { packagePath } from "../proto/package.ts";
import { openChromium } from "../test/chromium.ts";

const turnMs = 1_000 * Number(process.argv[3] ?? 15);
const turns = 6;

const browser = await openChromium();
if (!browser) throw new Error("no Chromium on this machine");
const folder = mkdtempSync(join(tmpdir(), "limbeck-bench-"));
const run = start();
try {
  const rates: number[] = [];
  let address = "";
  createInterface(run.stderr!).on("line", (line) => {
    address ||= /http:\/\/([^/]+)\//.exec(line)?.[1] ?? "";
  });
  createInterface(run.stdout!).on("line", (line) => {
    const event = JSON.parse(line) as ProgressEvent;
    if (event.kind === "stepped") rates.push(event.samplesPerSecond);
  });
  while (rates.length < 20) await setTimeout(200);
  const coordinator = childCalled(run.pid!, "coordinator");
  const page = await browser.newPage();
  const session = await page.context().newCDPSession(page);
  await session.send("Performance.enable");
  const measured: { isOpen: boolean; rate: number; coordinator: number; page: number; script: number }[] = [];
  for (let turn = 0; turn < turns; turn++) {
    const isOpen = turn % 2 === 1;
    await page.goto(isOpen ? `http://${address}/` : "about:blank");
    await setTimeout(2_000); // Loading is not what is measured.
    rates.length = 0;
    const [before, atMs, cpu] = [await spent(session), performance.now(), processorSeconds(coordinator)];
    await setTimeout(turnMs);
    const seconds = (performance.now() - atMs) / 1_000;
    const after = await spent(session);
    measured.push({
      ...{ isOpen, rate: median(rates)!, coordinator: (processorSeconds(coordinator) - cpu) / seconds },
      ...{ page: (after.task - before.task) / seconds, script: (after.script - before.script) / seconds },
    });
  }
  const of = (name: "rate" | "coordinator" | "page" | "script", isOpen: boolean) =>
    median(measured.filter((each) => each.isOpen === isOpen).map((each) => each[name]))!;
  const rounded = (value: number) => Number(value.toPrecision(3));
  const line = {
    ...{ bench: "page", turnSeconds: turnMs / 1_000, turns },
    ...{ scriptOfCore: rounded(of("script", true)), pageOfCore: rounded(of("page", true)) },
    coordinatorOfCore: { open: rounded(of("coordinator", true)), closed: rounded(of("coordinator", false)) },
    ...{ ofRate: rounded(of("rate", true) / of("rate", false)), rates: measured.map(({ rate }) => Math.round(rate)) },
  };
  process.stdout.write(`${JSON.stringify(line)}\n`);
} finally {
  run.kill("SIGTERM");
  await browser.close();
  await new Promise((resolve) => run.once("close", resolve));
  rmSync(folder, { recursive: true, force: true });
}

/** The smoke job without an end. */
function start(): ChildProcess {
  const changes = ["teach.epochs=100000", "evaluation.everyEpochs=0", `softTargets.cache.dir=${join(folder, "cache")}`];
  const set = changes.flatMap((change) => ["--set", change]);
  const args = ["run", packagePath("examples/smoke.yaml"), "-o", "json", "--out", join(folder, "run"), ...set];
  return spawn(process.execPath, [packagePath("dist/cli/main.js"), ...args], { stdio: ["ignore", "pipe", "pipe"] });
}

/** Seconds that the page's main thread has spent so far, all in all and in its scripts. */
async function spent(session: CDPSession): Promise<{ task: number; script: number }> {
  const { metrics } = await session.send("Performance.getMetrics");
  const value = (name: string) => metrics.find((metric) => metric.name === name)!.value;
  return { task: value("TaskDuration"), script: value("ScriptDuration") };
}

function childCalled(parent: number, name: string): number {
  const children = readdirSync(`/proc/${parent}/task`).flatMap((task) =>
    readFileSync(`/proc/${parent}/task/${task}/children`, "utf8").split(" ").filter(Boolean).map(Number),
  );
  return children.find((pid) => readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").includes(name))!;
}

/** User and system time of a process so far; the kernel counts hundredths. */
function processorSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]!.split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}
