/** The processes of one run on one machine: a coordinator and its workers, each a real `limbeck` process. */
import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { constants, hostname } from "node:os";
import { asLimbeckError, type LimbeckErrorCode } from "../core/errors.ts";
import type { Serves } from "../proto/health.ts";
import { packagePath } from "../proto/package.ts";
import { processEnvironment } from "../worker/engine/environment.ts";
import { SharedFiles } from "../worker/exchange/sharedfiles.ts";
import { lifeVariable } from "../worker/life.ts";

export interface Child {
  readonly name: string;
  readonly process: ChildProcess;
  /** Resolves when the process is gone and all it wrote is read. */
  readonly ended: Promise<Ended>;
}

export interface Ended {
  readonly exitCode: number | null;
  /** How it ended, to follow its name: "was killed by SIGKILL", "ended with code 1: the port is busy". */
  readonly how: string;
  /** What it told its parent it failed of; null where it did not come to that. */
  readonly failure: LimbeckErrorCode | null;
}

export interface ChildOptions {
  /** On top of ours; what is undefined here is not in the child's. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Hears what it writes to stderr. */
  readonly hear?: (text: string) => void;
  /** Hears whether it takes work: not any more, when it has ended. */
  readonly hearServing?: (serves: Serves) => void;
  /** Hears its log, which it writes to stdout. */
  readonly hearLog?: (text: string) => void;
}

const keptStderr = 4000;
const toldLines = 5;

/**
 * Starts `limbeck ARGS…` as a child in a process group of its own: Ctrl-C in the terminal reaches only us, and we
 * pass it on as an orderly stop.
 */
export function startChild(
  name: string,
  args: readonly string[],
  { env = {}, hear, hearLog, hearServing }: ChildOptions = {},
): Child {
  const child = limbeck(args, ["ignore", hearLog ? "pipe" : "ignore", "pipe", "ipc"], env);
  let words = "";
  let failure: LimbeckErrorCode | null = null;
  child.stderr!.setEncoding("utf8");
  child.stderr!.on("data", (text: string) => {
    words = (words + text).slice(-keptStderr);
    hear?.(text);
  });
  child.stdout?.setEncoding("utf8").on("data", (text: string) => hearLog?.(text));
  child.on("message", (message) => {
    const told = message as Partial<Told>;
    failure = told.failure ?? failure;
    if (told.serves) hearServing?.(told.serves);
  });
  const ended = new Promise<Ended>((resolve) => {
    child.once("close", (exitCode, signal) => {
      resolve({ exitCode, failure, how: `${endOf(exitCode, signal)}${told(words)}` });
    });
    child.once("error", ({ message }) => {
      resolve({ exitCode: null, failure, how: `could not be started: ${message}` });
    });
  });
  void ended.then(() => hearServing?.("NOT_SERVING"));
  return { name, process: child, ended };
}

interface Told {
  readonly failure: LimbeckErrorCode;
  readonly serves: Serves;
}

/** Tells the process that started this one what it fails of: a supervisor need not try again what cannot be mended. */
export async function tellParent(thrown: unknown): Promise<void> {
  await tell({ failure: asLimbeckError(thrown).code });
}

/** Tells it whether this one takes work. */
export async function tellServing(serves: Serves): Promise<void> {
  await tell({ serves });
}

async function tell(message: Partial<Told>): Promise<void> {
  if (process.connected) await new Promise((resolve) => process.send!(message, resolve));
}

/**
 * Asks all to end, kills those that have not after `graceMs`, and takes from shared memory what a killed process left
 * there. Returns the names of those it had to kill.
 */
export async function endChildren(children: readonly Child[], graceMs: number): Promise<string[]> {
  const stubborn = await Promise.all(
    children.map(async (child) => ((await endsWithin(child, graceMs)) ? [] : child.name)),
  );
  try {
    SharedFiles.create().close(); // Whoever makes files there sweeps first.
  } catch {
    // There is no shared memory here, so nothing is left in it.
  }
  return stubborn.flat();
}

/** False where it had to be killed. */
async function endsWithin({ process: child, ended }: Child, graceMs: number): Promise<boolean> {
  let inTime = true;
  const patience = setTimeout(() => {
    inTime = false;
    child.kill("SIGKILL");
  }, graceMs);
  // One that was about to join a coordinator that is gone would go on trying.
  child.kill("SIGTERM");
  await ended;
  clearTimeout(patience);
  return inTime;
}

/** The environment that must be set before a worker's process starts is set. */
export function hasProcessEnvironment(): boolean {
  return Object.keys(processEnvironment()).every((name) => name in process.env);
}

/** A worker ends with it whose job is over, and whose coordinator has others: another process is to go on at once. */
export const againCode = 75;

/**
 * Runs this very command once more, as a child with that environment, and waits for its end; again and again where it
 * ends with `againCode`, unless it was told to leave: that gives `leaveCode`. SIGTERM and SIGINT are passed on. Returns the exit code; a child that a signal killed gives 128 + its number, as in a shell.
 */
export async function runAgain(leaveCode = 0): Promise<number> {
  let child: ChildProcess | null = null;
  let isAsked = false;
  const passOn = (signal: NodeJS.Signals) => {
    isAsked = true;
    child?.kill(signal);
  };
  process.on("SIGTERM", passOn).on("SIGINT", passOn);
  for (;;) {
    const started = limbeck(process.argv.slice(2), ["inherit", "inherit", "inherit", "ipc"]);
    child = started;
    const code = await new Promise<number>((resolve, reject) => {
      started.once("error", reject);
      started.once("exit", (code, signal) => resolve(code ?? 128 + constants.signals[signal!]));
    });
    if (code !== againCode) return code;
    if (isAsked) return leaveCode;
  }
}

function limbeck(
  args: readonly string[],
  stdio: NonNullable<SpawnOptions["stdio"]>,
  env: Readonly<Record<string, string | undefined>> = {},
): ChildProcess {
  return spawn(process.execPath, ["--enable-source-maps", packagePath("dist/cli/main.js"), ...args], {
    stdio,
    detached: true,
    // What the user has set stays.
    env: { ...processEnvironment(), [lifeVariable]: `${hostname()}/${process.pid}`, ...process.env, ...env },
  });
}

function endOf(code: number | null, signal: NodeJS.Signals | null): string {
  return code === null ? `was killed by ${signal}` : `ended with code ${code}`;
}

/** TensorFlow says these whenever it starts. */
const chatter = /^(WARNING: All log messages before absl|[IW]\d{4} )/;

/** The last lines of what a process wrote to stderr. */
function told(words: string): string {
  const lines = words.split("\n").filter((line) => line.trim() !== "" && !chatter.test(line));
  const last = lines.slice(-toldLines).map((line) => line.replace(/^limbeck: /, ""));
  return last.length === 0 ? "" : `: ${last.join("\n  ")}`;
}
