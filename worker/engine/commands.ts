/** The programs that set an engine up: each with a deadline, each heard of while it runs. */
import { execFile } from "node:child_process";
import { readdir, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

export interface CommandOptions {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
}

/** Runs a program to its end. Throws an Error that says in one line what went wrong. */
export async function command(name: string, args: readonly string[], options: CommandOptions): Promise<void> {
  const { timeoutMs, signal, cwd, env } = options;
  try {
    await run(name, args, { signal, cwd, env, timeout: timeoutMs, maxBuffer: 1 << 26 });
  } catch (thrown) {
    signal?.throwIfAborted();
    throw new Error(reason(name, thrown as Failed, timeoutMs), { cause: thrown });
  }
}

interface Failed {
  readonly code?: string | number | null;
  readonly signal?: string | null;
  readonly killed?: boolean;
  readonly stderr?: string;
  readonly message: string;
}

function reason(name: string, { code, signal, killed, stderr, message }: Failed, timeoutMs: number): string {
  if (code === "ENOENT") return `${name} is not installed`;
  if (killed) return `${name} took longer than ${timeoutMs / 1000} s`;
  const lines = (stderr || message).split("\n").map((line) => line.trim());
  // The last complaint sums up those before it: "fatal error: …", "OSError: …", "No module named pip".
  const last = lines.findLast((line) => /error: |no module/i.test(line)) ?? lines.findLast((line) => line !== "");
  return `${basename(name)} ended with ${signal ?? `code ${code}`}: ${last ?? "it said nothing"}`;
}

const tellMs = 5000;

/** Says what is done, and every few seconds how much of it lies in the folder. */
export async function narrated<T>(what: string, folder: string, log: (line: string) => void, work: () => Promise<T>) {
  log(`${what} ...`);
  const started = Date.now();
  const timer = setInterval(async () => {
    const megabytes = Math.round((await folderBytes(folder)) / 1e6);
    log(`${what} ... ${Math.round((Date.now() - started) / 1000)} s, ${megabytes} MB`);
  }, tellMs);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}

async function folderBytes(folder: string): Promise<number> {
  const names = await readdir(folder, { recursive: true }).catch(() => []);
  const sizes = await Promise.all(
    names.map((name) =>
      stat(join(folder, name))
        .then((file) => file.size)
        .catch(() => 0),
    ),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}
