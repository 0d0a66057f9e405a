/** Whether a process of this machine still runs, and is still the same one. */
import { readFileSync, readlinkSync } from "node:fs";

/** True also where the process is somebody else's and may not be signalled. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code !== "ESRCH";
  }
}

/**
 * When it started, in clock ticks since the machine did; empty where the system does not tell. Process ids are used
 * again: in a container the next process often has the very id of the dead one.
 */
export function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The second field, the command, may itself hold spaces and brackets.
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
  } catch {
    return "";
  }
}

/**
 * Process ids mean something only in their namespace: containers may share a disk, /dev/shm or the name of their host
 * without sharing those. "0" where the system does not tell.
 */
export function pidNamespace(): string {
  try {
    return readlinkSync("/proc/self/ns/pid").replace(/\D/g, "");
  } catch {
    return "0";
  }
}
