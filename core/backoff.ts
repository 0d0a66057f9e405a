/** How long to wait before something that failed is tried again. */
export interface BackoffPolicy {
  readonly firstMs: number;
  /** The wait doubles with every attempt up to this. */
  readonly longestMs: number;
}

/**
 * @param attempt counted from 0
 * @param random in [0, 1): the wait is between half of it and all, so that those who failed together do not all come back together
 */
export function backoffMs({ firstMs, longestMs }: BackoffPolicy, attempt: number, random: number): number {
  const whole = Math.min(longestMs, firstMs * 2 ** attempt);
  return (whole * (1 + random)) / 2;
}
