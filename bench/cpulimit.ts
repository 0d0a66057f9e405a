/** Gives a process a share of a core, as if it ran on a slower machine of its own (control groups of Linux, version 1 or 2; needs root). */
import { existsSync, mkdirSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const periodUs = 20_000;
const made: string[] = [];

/** @throws where control groups cannot be made: a benchmark without them would measure something else */
export function limitCpu(name: string, pid: number, share: number): void {
  const isUnified = existsSync("/sys/fs/cgroup/cgroup.controllers");
  const root = isUnified ? "/sys/fs/cgroup" : "/sys/fs/cgroup/cpu";
  const group = join(root, `limbeck-${process.pid}-${name}`);
  mkdirSync(group);
  made.push(group);
  const quotaUs = Math.round(share * periodUs);
  if (isUnified) writeFileSync(join(group, "cpu.max"), `${quotaUs} ${periodUs}`);
  else {
    writeFileSync(join(group, "cpu.cfs_period_us"), String(periodUs));
    writeFileSync(join(group, "cpu.cfs_quota_us"), String(quotaUs));
  }
  writeFileSync(join(group, "cgroup.procs"), String(pid));
}

/** The processes are gone. */
export function releaseCpu(): void {
  for (const group of made.splice(0)) rmdirSync(group);
}
