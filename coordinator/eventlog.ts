/** The job's progress events so far, for any number of followers, each at its own pace. */
import type { ProgressEvent } from "../core/events.ts";

export class EventLog {
  readonly #events: ProgressEvent[] = [];
  readonly #waiting = new Set<() => void>();
  #isClosed = false;

  append(event: ProgressEvent): void {
    this.#events.push(event);
    this.#wake();
  }

  /** No event follows: followers end when they have had the last. */
  close(): void {
    this.#isClosed = true;
    this.#wake();
  }

  /** All events from the first one on, then live. Ends with the job, or when the signal aborts. */
  async *follow(signal?: AbortSignal): AsyncGenerator<ProgressEvent> {
    for (let at = 0; !signal?.aborted; ) {
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
