/**
 * Unix time in milliseconds that does not step when somebody sets the machine's clock: the time at which this process
 * began, and what its monotonic clock has counted since. So what lies between two such times of a process has passed:
 * silences, waits and deadlines are told by them. While a machine sleeps it stands still, and is behind afterwards.
 */
export function steadyNowMs(): number {
  return Math.floor(performance.timeOrigin + performance.now());
}
