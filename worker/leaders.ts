/**
 * L3. Which leader a worker obeys. Fences grow with every leader: one with a lower fence than was heard before has been
 * replaced, and is not obeyed. Where for long there was none but older ones, the store has lost what it had, and counts
 * anew: then the worker begins anew, too.
 */

/** A leader that was replaced learns it within seconds. */
export const outlivedMs = 10_000;

/** What a worker has heard so far. */
export interface Leaders {
  /** The highest fence; 0 before the first. */
  readonly fence: number;
  /** Since when only older leaders have spoken; null where the last one was not older. */
  readonly outlivedSinceMs: number | null;
}

export const noLeader: Leaders = { fence: 0, outlivedSinceMs: null };

/**
 * A leader speaks.
 * @param atMs on a monotonic clock
 * @returns what was heard by now, and whether it is obeyed, `replaced`, or obeyed by who begins anew
 */
export function heed(before: Leaders, fence: number, atMs: number): readonly [Leaders, "obeyed" | "replaced" | "anew"] {
  if (fence >= before.fence) return [{ fence, outlivedSinceMs: null }, "obeyed"];
  const outlivedSinceMs = before.outlivedSinceMs ?? atMs;
  if (atMs - outlivedSinceMs < outlivedMs) return [{ ...before, outlivedSinceMs }, "replaced"];
  return [{ fence, outlivedSinceMs: null }, "anew"];
}
