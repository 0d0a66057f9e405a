/** Work that waits, without promises: generators that yield what they wait for, and go on within the event that brings it. */
import { LimbeckError } from "../../core/errors.ts";

export interface Settle<T> {
  ok(value: T): void;
  fail(error: unknown): void;
}

/** Begins to wait. Gives what ends the wait unsettled, where that can be done. */
export type Wait<T> = (settle: Settle<T>) => (() => void) | undefined;

export type Task<T> = Generator<Wait<unknown>, T, unknown>;

/** Runs a task to its end; `done` is called once. */
export function start<T>(task: Task<T>, done: Settle<T>): void {
  const go = (resume: () => IteratorResult<Wait<unknown>, T>): void => {
    let result: IteratorResult<Wait<unknown>, T>;
    try {
      result = resume();
    } catch (thrown) {
      done.fail(thrown);
      return;
    }
    if (result.done) {
      done.ok(result.value);
      return;
    }
    let isSettled = false;
    const once = (what: () => void) => {
      if (isSettled) return;
      isSettled = true;
      what();
    };
    result.value({
      ok: (value) => once(() => go(() => task.next(value))),
      fail: (error) => once(() => go(() => task.throw(error))),
    });
  };
  go(() => task.next(undefined));
}

export function* wait<T>(what: Wait<T>): Task<T> {
  return (yield what as Wait<unknown>) as T;
}

/** As AbortSignal, without its promises and its global clock. */
export class Signal {
  reason: LimbeckError | null = null;
  readonly #listeners = new Set<(reason: LimbeckError) => void>();

  abort(reason: LimbeckError): void {
    if (this.reason) return;
    this.reason = reason;
    for (const listener of [...this.#listeners]) listener(reason);
    this.#listeners.clear();
  }

  /** Gives what takes the listener off. */
  onAbort(listener: (reason: LimbeckError) => void): () => void {
    if (this.reason) listener(this.reason);
    else this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  throwIfAborted(): void {
    if (this.reason) throw this.reason;
  }
}

/** The wait, or the signal's reason, whichever comes first. */
export function until<T>(signal: Signal, what: Wait<T>): Wait<T> {
  return ({ ok, fail }) => {
    if (signal.reason) {
      fail(signal.reason);
      return undefined;
    }
    let cancel: (() => void) | undefined;
    const off = signal.onAbort((reason) => {
      cancel?.();
      fail(reason);
    });
    cancel = what({
      ok: (value) => {
        off();
        ok(value);
      },
      fail: (error) => {
        off();
        fail(error);
      },
    });
    return () => {
      off();
      cancel?.();
    };
  };
}

/** All tasks at once. The first failure is told to `onFailure`, and thrown when all have ended. */
export function together<T>(tasks: readonly Task<T>[], onFailure: (error: unknown) => void): Wait<T[]> {
  return ({ ok, fail }) => {
    const results: T[] = [];
    let [left, failure]: [number, { error: unknown } | null] = [tasks.length, null];
    const ended = () => {
      left -= 1;
      if (left > 0) return;
      if (failure) fail(failure.error);
      else ok(results);
    };
    if (tasks.length === 0) ok([]);
    for (const [at, task] of tasks.entries()) {
      start(task, {
        ok: (value) => {
          results[at] = value;
          ended();
        },
        fail: (error) => {
          if (!failure) {
            failure = { error };
            onFailure(error);
          }
          ended();
        },
      });
    }
  };
}

/** How work is told to end, as worker/ending.ts. */
export class Ending {
  readonly now = new Signal();
  readonly soon = new Signal();

  end({ planned, why }: { planned: boolean; why: string }): void {
    const reason = new LimbeckError("stale_term", why);
    this.soon.abort(reason);
    if (!planned) this.now.abort(reason);
  }
}
