/** Which workers can read each other's files in /dev/shm. */
import { readFileSync, readlinkSync, statSync } from "node:fs";
import { hostname } from "node:os";

/** Where payloads for workers of the same host are put. */
export const sharedMemoryFolder = "/dev/shm";

/**
 * Equal for two workers exactly if they run under one kernel and see the same /dev/shm: containers with their own one differ.
 * Where the system does not say, the host's name: payloads then travel as bytes, for there is no /dev/shm either.
 */
export function hostId(): string {
  try {
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    return `${boot}/${statSync(sharedMemoryFolder).dev}/${readlinkSync("/proc/self/ns/mnt")}`;
  } catch {
    return hostname();
  }
}
