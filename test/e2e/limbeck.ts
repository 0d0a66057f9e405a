/** Runs the real command line as a user would, in a folder of its own. */
import { execFile } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import type { ProgressEvent } from "../../core/events.ts";
import type { Report } from "../../core/report.ts";
import { packagePath } from "../../proto/package.ts";

export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const commandDeadlineMs = 180_000;

/** `limbeck ARGS…`, from the package's folder. */
export function limbeck(...args: string[]): Promise<Outcome> {
  const argv = ["--enable-source-maps", packagePath("dist/cli/main.js"), ...args];
  return new Promise((resolve) => {
    const options = { cwd: packagePath("."), timeout: commandDeadlineMs, maxBuffer: 1 << 28 };
    execFile(process.execPath, argv, options, (error, stdout, stderr) => {
      resolve({ code: error ? (typeof error.code === "number" ? error.code : -1) : 0, stdout, stderr });
    });
  });
}

/** A folder that goes with the test. */
export async function scratchFolder(test: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "limbeck-test-"));
  test.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export interface FinishedRun extends Outcome {
  readonly folder: string;
  readonly report: Report;
  readonly events: readonly ProgressEvent[];
}

/** Runs a job to its end and reads what it left. */
export async function finishedRun(test: TestContext, job: string, ...args: string[]): Promise<FinishedRun> {
  const folder = join(await scratchFolder(test), "run");
  const outcome = await limbeck("run", job, "--out", folder, "--json", ...args);
  if (outcome.code !== 0 || !existsSync(join(folder, "report.json"))) throw new Error(`exit ${outcome.code}: ${outcome.stderr}`);
  const report = JSON.parse(readFileSync(join(folder, "report.json"), "utf8")) as Report;
  const lines = readFileSync(join(folder, "events.jsonl"), "utf8").trim().split("\n");
  return { ...outcome, folder, report, events: lines.map((line) => JSON.parse(line) as ProgressEvent) };
}
