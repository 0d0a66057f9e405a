/** A target's inputs, in processes of bounded memory: one that dies or never comes back is a fault of the input it was at. */
import { spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { ChildTask, ToldFault } from "./child.ts";
import { type Progress, readProgress } from "./progress.ts";

export interface Outcome extends Omit<Progress, "number" | "faults"> {
  readonly faults: readonly ToldFault[];
}

export interface Fuzzing {
  readonly seed: number;
  /** Inputs beside those that are written by hand; null for as many as there is time for. */
  readonly generated: number | null;
  readonly seconds: number | null;
  /** This one alone. */
  readonly only?: number;
  /** Where inputs are kept that show a fault. */
  readonly kept: string;
}

const heapMiB = 256;
/** Without end, for all that can be told. Wall time: a busy machine must not look like one. */
const hangsMs = 120_000;
const lookMs = 1_000;
const mostDeaths = 5;

export async function fuzzed(target: string, { seed, generated, seconds, only, kept }: Fuzzing): Promise<Outcome> {
  const scratch = realpathSync(mkdtempSync(join(tmpdir(), "limbeck-fuzzing-")));
  const progressFile = join(scratch, "progress");
  const place = join(scratch, "place");
  mkdirSync(place);
  const task = { target, seed, generated, only: only ?? null, place, progressFile, kept };
  const untilMs = seconds === null ? null : Date.now() + 1_000 * seconds;
  const faults: ToldFault[] = [];
  try {
    for (let from = 0, deaths = 0; ; ) {
      const died = await oneChild({ ...task, from, untilMs }, faults);
      const { number } = readProgress(progressFile);
      if (died === null) break;
      faults.push({ input: number, what: died });
      const input = join(place, "in");
      // Before its first input there is none.
      if (existsSync(input))
        cpSync(input, join(kept, `${target}-${number}`), { recursive: true, verbatimSymlinks: true });
      deaths += 1;
      from = number + 1;
      if (deaths === mostDeaths || only !== undefined) break;
    }
    const { inputs, accepted, refused, slowestMs, peakMiB } = readProgress(progressFile);
    return { inputs, accepted, refused, faults, slowestMs: Math.round(slowestMs), peakMiB: Math.round(peakMiB) };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** @returns how it died; null where it did not */
async function oneChild(task: ChildTask, faults: ToldFault[]): Promise<string | null> {
  const child = spawn(
    process.execPath,
    ["--enable-source-maps", `--max-old-space-size=${heapMiB}`, compiled("child.js"), JSON.stringify(task)],
    { stdio: ["ignore", "pipe", "pipe"] },
  );
  let said = "";
  child.stderr.on("data", (piece: Buffer) => {
    said = `${said}${piece}`.slice(-4_000);
    if (task.only !== null) process.stderr.write(piece);
  });
  const ended = new Promise<string | null>((resolve) => {
    child.once("close", (code, signal) =>
      resolve(code === 0 ? null : `the process ended (${signal ?? code}): ${said}`),
    );
  });
  let hangs = "";
  let [seen, seenMs] = [-1, Date.now()];
  const looking = setInterval(() => {
    const { inputs } = readProgress(task.progressFile);
    if (inputs !== seen) [seen, seenMs] = [inputs, Date.now()];
    if (Date.now() - seenMs < hangsMs) return;
    hangs = `it was not read in ${hangsMs / 1_000} s: ${said}`;
    child.kill("SIGKILL");
  }, lookMs);
  for await (const line of createInterface(child.stdout)) {
    if (line.startsWith('{"input":')) faults.push(JSON.parse(line) as ToldFault);
  }
  const died = await ended;
  clearInterval(looking);
  return died === null ? null : hangs || died;
}

function compiled(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}
