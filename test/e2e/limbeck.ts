/** Runs the real command line as a user would, in a folder of its own. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { EventEmitter, on, once } from "node:events";
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { TestContext } from "node:test";
import { setTimeout } from "node:timers/promises";
import type { ProgressEvent } from "../../core/events.ts";
import type { Report } from "../../core/report.ts";
import { packagePath } from "../../proto/package.ts";
import type { Scope } from "../scope.ts";

export interface Outcome {
  /** null where a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly process: ChildProcess;
  readonly outcome: Promise<Outcome>;
}

export interface StartOptions {
  /** The package's folder, if no other is given. */
  readonly cwd?: string;
  /** After which it is told to end. */
  readonly deadlineMs?: number;
}

/** Of a command. */
const commandDeadlineMs = 120_000;
/** Of what serves several, in a test that may take so long. */
export const lasting: StartOptions = { deadlineMs: 280_000 };

/** Starts `limbeck ARGS…`. `env` comes on top of ours. */
export function start(args: readonly string[], env: Record<string, string> = {}, options: StartOptions = {}): Running {
  const { cwd = packagePath("."), deadlineMs = commandDeadlineMs } = options;
  const argv = ["--enable-source-maps", packagePath("dist/cli/main.js"), ...args];
  const child = spawn(process.execPath, argv, {
    cwd,
    timeout: deadlineMs,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const said = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (text: string) => {
      said[name] += text;
    });
  }
  const outcome = once(child, "close").then(([code]) => ({ code: code as number | null, ...said }));
  return { process: child, outcome };
}

/** `limbeck ARGS…` to its end. */
export function limbeck(...args: string[]): Promise<Outcome> {
  return start(args).outcome;
}

/** A folder that goes with the test. */
export async function scratchFolder(test: Scope): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "limbeck-test-"));
  test.after(() => remove(folder));
  return folder;
}

/** Where a process is still writing, that a later hook ends: at the end of all; what is left then is the system's. */
function remove(folder: string, whenBusy = () => void process.once("exit", () => remove(folder, () => {}))): void {
  try {
    rmSync(folder, { recursive: true, force: true, maxRetries: 3, retryDelay: 100 });
  } catch {
    whenBusy();
  }
}

export interface FinishedRun extends Outcome {
  readonly folder: string;
  readonly report: Report;
  readonly events: readonly ProgressEvent[];
}

/** Runs a job to its end and reads what it left. Its cache is empty, unless the arguments name another. */
export async function finishedRun(test: TestContext, job: string, ...args: string[]): Promise<FinishedRun> {
  const scratch = await scratchFolder(test);
  const folder = join(scratch, "run");
  const cache = args.some((arg) => arg.startsWith("softTargets.cache"))
    ? []
    : ["--set", `softTargets.cache.dir=${join(scratch, "cache")}`];
  const outcome = await limbeck("run", job, "--out", folder, "-o", "json", ...cache, ...args);
  if (outcome.code !== 0 || !existsSync(join(folder, "report.json"))) {
    throw new Error(`exit ${outcome.code}: ${outcome.stderr}`);
  }
  const report = JSON.parse(readFileSync(join(folder, "report.json"), "utf8")) as Report;
  return { ...outcome, folder, report, events: recordedEvents(folder) };
}

export function recordedEvents(folder: string): ProgressEvent[] {
  const lines = readFileSync(join(folder, "events.jsonl"), "utf8").trim().split("\n");
  return lines.map((line) => JSON.parse(line) as ProgressEvent);
}

/** A job that is under way. */
export interface StartedRun extends Running {
  readonly folder: string;
  /** Process ids by worker. */
  readonly workers: ReadonlyMap<string, number>;
  /** The next event from now on of which this is true. */
  event(isMeant: (event: ProgressEvent) => boolean): Promise<ProgressEvent>;
  /** All events so far. */
  seen(): readonly ProgressEvent[];
}

/** A job in the middle of its training, which would last for hours. */
export interface EndlessRun extends StartedRun {
  /** Process ids of the coordinator and the workers. */
  readonly children: readonly number[];
}

const eventDeadlineMs = 60_000;

/** As `teacher` or `student` of a job that lasts: it leaves the processors to the other tests. */
export const waiting = `{module: ${packagePath("test/fixtures/models/waiting.ts")}}`;

/** Starts the smoke job without an end and waits for its first step. */
export function endlessRun(test: TestContext, ...args: string[]): Promise<EndlessRun> {
  const set = [`teacher=${waiting}`, "teach.epochs=100000", "evaluation.everyEpochs=0"];
  return begunRun(test, ...set.flatMap((each) => ["--set", each]), ...args);
}

/** Starts the smoke job, with an empty cache, and waits for its first step. */
export async function begunRun(test: TestContext, ...args: string[]): Promise<EndlessRun> {
  const run = await startedRun(test, ...args);
  await run.event(({ kind }) => kind === "stepped");
  return { ...run, children: childrenOf(run.process.pid!) };
}

/** Starts the smoke job, with an empty cache. */
export async function startedRun(test: TestContext, ...args: string[]): Promise<StartedRun> {
  const scratch = await scratchFolder(test);
  const folder = join(scratch, "run");
  const cache = ["--set", `softTargets.cache.dir=${join(scratch, "cache")}`];
  const running = start(["run", "examples/smoke.yaml", "--out", folder, "-o", "json", ...cache, ...args]);
  test.after(() => void running.process.kill("SIGKILL"));
  const workers = new Map<string, number>();
  const seen: ProgressEvent[] = [];
  const news = new EventEmitter();
  createInterface(running.process.stdout!).on("line", (line) => {
    const event = JSON.parse(line) as ProgressEvent;
    if (event.kind === "worker-joined") workers.set(event.worker, event.pid);
    seen.push(event);
    news.emit("event", event);
  });
  const gone = new AbortController();
  void running.outcome.then(({ code, stderr }) => gone.abort(new Error(`the command ended, exit ${code}: ${stderr}`)));
  const event = async (isMeant: (event: ProgressEvent) => boolean): Promise<ProgressEvent> => {
    const signal = AbortSignal.any([AbortSignal.timeout(eventDeadlineMs), gone.signal]);
    try {
      for await (const [each] of on(news, "event", { signal })) if (isMeant(each)) return each;
    } catch {
      signal.throwIfAborted();
    }
    throw new Error("unreachable");
  };
  return { ...running, folder, workers, event, seen: () => seen };
}

export interface DistillingRun extends Running {
  readonly folder: string;
  /** What it said of an address, by what precedes it. */
  addressAfter(words: string): string;
}

/** Starts the smoke job, distilling without an end and without a cache, and waits for the event of that stage. */
export async function distillingRun(
  test: TestContext,
  {
    until,
    settings,
    environment,
  }: { until: ProgressEvent["kind"]; settings: readonly string[]; environment?: Record<string, string> },
): Promise<DistillingRun> {
  const folder = join(await scratchFolder(test), "run");
  const endless = ["teach.epochs=1", `student=${waiting}`, "distil.epochs=100000", "softTargets.cache=false"];
  const set = [...endless, ...settings].flatMap((each) => ["--set", each]);
  const run = start(["run", "examples/smoke.yaml", "--out", folder, "-o", "json", ...set], environment);
  test.after(async () => {
    run.process.kill("SIGTERM");
    await run.outcome;
  });
  let said = "";
  run.process.stderr!.on("data", (text: string) => {
    said += text;
  });
  for await (const line of createInterface(run.process.stdout!)) {
    const event = JSON.parse(line) as ProgressEvent;
    if (event.kind !== until || !("stage" in event) || event.stage !== "distil") continue;
    run.process.stdout!.resume();
    return { ...run, folder, addressAfter: (words) => new RegExp(`${words}([^/\\s]+)`).exec(said)![1]! };
  }
  throw new Error(`the job ended: ${said}`);
}

export function childrenOf(pid: number): number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim();
  return text === "" ? [] : text.split(" ").map(Number);
}

const goneDeadlineMs = 10_000;

/** Nothing is left of these processes: not they themselves, and nothing in shared memory. */
export async function assertGone(pids: readonly number[]): Promise<void> {
  const alive = () => pids.filter((pid) => existsSync(`/proc/${pid}`));
  for (const deadline = Date.now() + goneDeadlineMs; alive().length > 0 && Date.now() < deadline; )
    await setTimeout(50);
  assert.deepEqual(alive(), [], "processes that still run");
  const files = readdirSync("/dev/shm").filter((name) => pids.some((pid) => name.includes(`-${pid}-`)));
  assert.deepEqual(files, [], "left in shared memory");
}
