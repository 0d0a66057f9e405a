/**
 * What an open page costs: the share of a core that its script and its renderer take, by Chromium's own count, the
 * coordinator's share of a core, and the rate of training, in turns: closed, read elsewhere (what the page reads is read,
 * and nothing drawn: who watches is seldom on a machine that trains), and open in a browser on these very cores.
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
const ways = ["closed", "elsewhere", "here"] as const;
type Way = (typeof ways)[number];
const turns = 3 * ways.length;

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
  const measured: { way: Way; rate: number; coordinator: number; page: number; script: number }[] = [];
  for (let turn = 0; turn < turns; turn++) {
    const way = ways[turn % ways.length]!;
    await page.goto(way === "here" ? `http://${address}/` : "about:blank");
    const reader = new AbortController();
    if (way === "elsewhere") void readFeed(address, reader.signal).catch(() => {}); // Aborted.
    await setTimeout(2_000); // Loading is not what is measured.
    rates.length = 0;
    const [before, atMs, cpu] = [await spent(session), performance.now(), processorSeconds(coordinator)];
    await setTimeout(turnMs);
    const seconds = (performance.now() - atMs) / 1_000;
    const after = await spent(session);
    reader.abort();
    measured.push({
      ...{ way, rate: median(rates)!, coordinator: (processorSeconds(coordinator) - cpu) / seconds },
      ...{ page: (after.task - before.task) / seconds, script: (after.script - before.script) / seconds },
    });
  }
  const of = (name: "rate" | "coordinator" | "page" | "script", way: Way) =>
    median(measured.filter((each) => each.way === way).map((each) => each[name]))!;
  const rounded = (value: number) => Number(value.toPrecision(3));
  const line = {
    ...{ bench: "page", turnSeconds: turnMs / 1_000, turns },
    ...{ scriptOfCore: rounded(of("script", "here")), pageOfCore: rounded(of("page", "here")) },
    coordinatorOfCore: Object.fromEntries(ways.map((way) => [way, rounded(of("coordinator", way))])),
    ofRate: Object.fromEntries(ways.map((way) => [way, rounded(of("rate", way) / of("rate", "closed"))])),
    rates: measured.map(({ rate }) => Math.round(rate)),
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

/** What an open page reads, all of it. */
async function readFeed(address: string, signal: AbortSignal): Promise<void> {
  const { body } = await fetch(`http://${address}/events`, { signal });
  for await (const _ of body!);
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
