/** The job's progress events so far, for any number of followers, each at its own pace. */
import type { ProgressEvent } from "../core/events.ts";

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
  async *follow({ from = 0, signal }: { from?: number; signal?: AbortSignal } = {}): AsyncGenerator<ProgressEvent> {
    // Who has seen more than there is has lived through a crash of the disk: what is new comes next.
    for (let at = Math.min(from, this.#events.length); !signal?.aborted; ) {
      const event = this.#events[at];
      if (event) {
        at += 1;
        yield event;
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
