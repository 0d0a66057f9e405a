/** So many in a second, and some at once: who comes faster waits. */

export interface PaceLimits {
  readonly burst: number;
  readonly perSecond: number;
}

export class Pace {
  readonly #everyMs: number;
  readonly #burstMs: number;
  /** When the next would be due, had all come one after another. */
  #dueMs = Number.NEGATIVE_INFINITY;

  constructor({ burst, perSecond }: PaceLimits) {
    this.#everyMs = 1_000 / perSecond;
    this.#burstMs = burst * this.#everyMs;
  }

  /** Takes one. @returns milliseconds that it has to wait; 0 where it is in time */
  take(nowMs: number): number {
    this.#dueMs = Math.max(this.#dueMs, nowMs - this.#burstMs) + this.#everyMs;
    return Math.max(0, this.#dueMs - nowMs);
  }
}
