/** The job's progress events so far, for any number of followers, each at its own pace. */
import type { ProgressEvent } from "../core/events.ts";

export interface Following {
  /** Events to pass over. */
  readonly from?: number;
  readonly signal?: AbortSignal;
  /** Only those of which this is true. */
  readonly only?: (event: ProgressEvent) => boolean;
  /** End after the events that there are already. */
  readonly soFar?: boolean;
}

export class EventLog {
  readonly #events: ProgressEvent[];
  readonly #waiting = new Set<() => void>();
  #isClosed = false;

  /** @param earlier events of the run's earlier parts */
  constructor(earlier: readonly ProgressEvent[] = []) {
    this.#events = [...earlier];
  }

  /** Those so far. */
  get events(): readonly ProgressEvent[] {
    return this.#events;
  }

  append(event: ProgressEvent): void {
    this.#events.push(event);
    this.#wake();
  }

  /** No event follows: followers end when they have had the last. */
  close(): void {
    this.#isClosed = true;
    this.#wake();
  }

  /** All events from the first one on, or after `from` of them, then live. Ends with the job, or when the signal aborts. */
  async *follow(following: Following = {}): AsyncGenerator<ProgressEvent> {
    for await (const [event] of this.numbered(following)) yield event;
  }

  /** The same, each with its number from 1. */
  async *numbered(following: Following = {}): AsyncGenerator<readonly [ProgressEvent, number]> {
    const { from = 0, signal, only = () => true, soFar = false } = following;
    const end = soFar ? this.#events.length : Number.POSITIVE_INFINITY;
    // Who has seen more than there is has lived through a crash of the disk: what is new comes next.
    for (let at = Math.min(from, this.#events.length); at < end && !signal?.aborted; ) {
      const event = this.#events[at];
      if (event) {
        at += 1;
        if (only(event)) yield [event, at];
      } else {
        if (this.#isClosed) return;
        await this.#more(signal);
      }
    }
  }

  async #more(signal: AbortSignal | undefined): Promise<void> {
    await new Promise<void>((resolve) => {
      const wake = () => {
        this.#waiting.delete(wake);
        signal?.removeEventListener("abort", wake);
        resolve();
      };
      this.#waiting.add(wake);
      signal?.addEventListener("abort", wake);
    });
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
  }
}
