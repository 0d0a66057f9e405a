/** How work in a term is told to end: at once, or after the step in flight. */
import { LimbeckError } from "../core/errors.ts";

export class Ending {
  readonly #now = new AbortController();
  readonly #soon = new AbortController();

  /** Aborted where the step in flight is to be broken off. */
  get now(): AbortSignal {
    return this.#now.signal;
  }

  /** Aborted where no step is to be begun any more, and nothing that waits for others between two steps is to go on. */
  get soon(): AbortSignal {
    return this.#soon.signal;
  }

  end({ planned, why }: { planned: boolean; why: string }): void {
    const reason = new LimbeckError("stale_term", why);
    this.#soon.abort(reason);
    if (!planned) this.#now.abort(reason);
  }
}

/** When the signal is aborted, or at once where it is. */
export async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
}
