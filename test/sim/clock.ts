/** Virtual time: what happens, in the order of (time, order of asking). Nothing here runs by itself. */

/** Between "it may" and the act, or the writing of it down; between a journal's entry and the news of it. */
export type Moment = "acting" | "writing" | "written";

/** A process, as far as time is concerned: a dead one does nothing more, what a paused one should do is held back. */
export class Life {
  readonly name: string;
  isAlive = true;
  /** What befalls it at the next such moment. */
  trap: { readonly at: Moment; spring(): void } | null = null;
  #isPaused = false;
  #held: (() => void)[] = [];

  constructor(name: string) {
    this.name = name;
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  do(what: () => void): void {
    if (!this.isAlive) return;
    if (this.#isPaused) this.#held.push(what);
    else what();
  }

  reach(moment: Moment): void {
    const { trap } = this;
    if (trap?.at !== moment) return;
    this.trap = null;
    trap.spring();
  }

  pause(): void {
    this.#isPaused = true;
  }

  /** SIGCONT: timers that ran out and packets that came meanwhile, in their order. */
  resume(): void {
    this.#isPaused = false;
    const held = this.#held;
    this.#held = [];
    for (const what of held) this.do(what);
  }
}

interface Scheduled {
  readonly atMs: number;
  readonly order: number;
  readonly life: Life | null;
  what: (() => void) | null;
}

export interface Timer {
  cancel(): void;
}

export class Clock {
  #nowMs = 0;
  #asked = 0;
  /** A binary heap. */
  readonly #heap: Scheduled[] = [];

  get nowMs(): number {
    return this.#nowMs;
  }

  get events(): number {
    return this.#asked;
  }

  /** @param life whose doing it is; null: the world's */
  after(ms: number, life: Life | null, what: () => void): Timer {
    const scheduled: Scheduled = { atMs: this.#nowMs + ms, order: this.#asked++, life, what };
    this.#push(scheduled);
    return {
      cancel() {
        scheduled.what = null;
      },
    };
  }

  /** The next thing happens; false where there is none. */
  advance(): boolean {
    for (;;) {
      const next = this.#pop();
      if (!next) return false;
      if (next.what === null || next.life?.isAlive === false) continue;
      this.#nowMs = next.atMs;
      if (next.life === null) next.what();
      else {
        const { life } = next;
        // Cancelled while its process stood still, it does not happen.
        life.do(() => next.what?.());
      }
      return true;
    }
  }

  #push(item: Scheduled): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(item);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(item, heap[parent]!)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = item;
  }

  #pop(): Scheduled | undefined {
    const heap = this.#heap;
    const top = heap[0];
    const last = heap.pop();
    if (!top || !last || heap.length === 0) return top;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child += 1;
      if (!isBefore(heap[child]!, last)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
    return top;
  }
}

function isBefore(one: Scheduled, other: Scheduled): boolean {
  return one.atMs < other.atMs || (one.atMs === other.atMs && one.order < other.order);
}
