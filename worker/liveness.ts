/** Whether a process of this machine still runs: what it left behind is swept only if not. */

/** True also where the process is somebody else's and may not be signalled. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code !== "ESRCH";
  }
}
