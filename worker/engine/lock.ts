/** A lock between processes of one machine: a file with the holder's process id. */
import { readFile, rm, writeFile } from "node:fs/promises";
import { setTimeout } from "node:timers/promises";
import { LimbeckError } from "../../core/errors.ts";

const pollMs = 200;
const deadlineMs = 20 * 60_000;

/** Runs `work` while no other process holds the lock. That of a process that died is taken over. */
export async function withLock<T>(file: string, log: (line: string) => void, work: () => Promise<T>): Promise<T> {
  const deadline = Date.now() + deadlineMs;
  for (let told = false; !(await acquired(file)); told = true) {
    const holder = Number(await readFile(file, "utf8").catch(() => "0"));
    if (holder > 0 && !isAlive(holder)) {
      await rm(file, { force: true });
      continue;
    }
    if (!told) log(`waiting for process ${holder}, which sets up the engine`);
    if (Date.now() > deadline) throw new LimbeckError("timeout", `process ${holder} has held ${file} for too long`);
    await setTimeout(pollMs);
  }
  try {
    return await work();
  } finally {
    await rm(file, { force: true });
  }
}

async function acquired(file: string): Promise<boolean> {
  try {
    await writeFile(file, String(process.pid), { flag: "wx" });
    return true;
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw thrown;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code !== "ESRCH";
  }
}
