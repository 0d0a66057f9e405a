/** The processes of one run on one machine: a coordinator and its workers, each a real `limbeck` process. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { packagePath } from "../proto/package.ts";
import { processEnvironment } from "../worker/engine/environment.ts";

export interface Child {
  readonly name: string;
  readonly process: ChildProcess;
  /** The last lines it wrote to stderr, for when it dies. */
  readonly lastWords: () => string;
}

const keptStderr = 4000;

/**
 * Starts `limbeck ARGS…` as a child in a process group of its own: Ctrl-C in the terminal reaches only us, and we
 * pass it on as an orderly stop.
 */
export function startChild(name: string, args: readonly string[]): Child {
  const child = spawn(process.execPath, ["--enable-source-maps", packagePath("dist/cli/main.js"), ...args], {
    stdio: ["ignore", "ignore", "pipe", "ipc"],
    detached: true,
    env: { ...process.env, ...processEnvironment() },
  });
  let words = "";
  child.stderr!.setEncoding("utf8");
  child.stderr!.on("data", (text: string) => {
    words = (words + text).slice(-keptStderr);
  });
  return { name, process: child, lastWords: () => words.trim() };
}

/** Waits for the child's end, kills it after `graceMs`. Returns its exit code, null when it was killed. */
export async function endChild({ process: child }: Child, graceMs: number): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  const killer = setTimeout(() => child.kill("SIGKILL"), graceMs);
  await once(child, "exit");
  clearTimeout(killer);
  return child.exitCode;
}
