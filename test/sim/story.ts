/** What happened, in words: kept only where somebody wants to read it, for a seed always tells the same story again. */
import type { Clock } from "./clock.ts";

export class Story {
  readonly lines: string[] = [];
  readonly #clock: Clock;
  readonly #isTold: boolean;

  constructor(clock: Clock, isTold: boolean) {
    this.#clock = clock;
    this.#isTold = isTold;
  }

  tell(who: string, what: () => string): void {
    if (!this.#isTold) return;
    this.lines.push(`${this.#clock.nowMs.toFixed(1).padStart(9)}  ${who.padEnd(11)} ${what()}`);
  }
}
