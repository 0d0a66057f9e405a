/**
 * One process at a time prepares a checkout. As worker/engine/lock.ts, in plain JavaScript: this runs before that is
 * compiled.
 */
import { readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { setTimeout } from "node:timers/promises";

const pollMs = 200;
const touchMs = 2000;
const silentMs = 30_000;
const deadlineMs = 30 * 60_000;

/** Runs `work` while no other process holds the lock file. That of a holder that died is taken over. */
export async function alone(file, say, work) {
  const deadline = Date.now() + deadlineMs;
  for (let told = false; !acquired(file); ) {
    if (Date.now() > deadline) throw new Error(`another process has held ${file} for half an hour`);
    const holder = attempt(() => readFileSync(file, "utf8"));
    if (holder !== undefined && isDead(file, holder)) takeAway(file, holder);
    else {
      if (!told) say(`waiting for process ${holder?.split(" ")[1] ?? "of another run"}, which prepares this checkout`);
      told = true;
      await setTimeout(pollMs);
    }
  }
  const touching = setInterval(() => attempt(() => utimesSync(file, new Date(), new Date())), touchMs);
  try {
    await work();
  } finally {
    clearInterval(touching);
    rmSync(file, { force: true });
  }
}

function acquired(file) {
  try {
    writeFileSync(file, `${hostname()} ${process.pid}`, { flag: "wx" });
    return true;
  } catch (error) {
    if (error.code === "EEXIST") return false;
    throw error;
  }
}

function isDead(file, holder) {
  const [host, pid] = holder.split(" ");
  if (host === hostname() && !isAlive(Number(pid))) return true;
  const touched = attempt(() => statSync(file).mtimeMs);
  return touched !== undefined && Date.now() - touched > silentMs;
}

/** Moved aside before it is removed: of two that find it dead, one gets it, and a lock made meanwhile is put back. */
function takeAway(file, holder) {
  const aside = `${file}.${process.pid}`;
  attempt(() => {
    renameSync(file, aside);
    if (readFileSync(aside, "utf8") === holder) rmSync(aside, { force: true });
    else renameSync(aside, file);
  });
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code !== "ESRCH";
  }
}

/** The result, or undefined where another process was quicker. */
function attempt(work) {
  try {
    return work();
  } catch {
    return undefined;
  }
}
