/** Keeps a process alive: started again whenever it dies, with backoff, until it is to end or cannot be mended. */
import { setTimeout } from "node:timers/promises";
import { type BackoffPolicy, backoffMs } from "../core/backoff.ts";
import type { LimbeckErrorCode } from "../core/errors.ts";
import { againCode, type Child, type Ended } from "./children.ts";

export interface Supervised {
  readonly name: string;
  /** Of the life it is in or, between two, the last. */
  readonly child: Child;
  /** Resolves when it will not be started again, with its last end. */
  readonly over: Promise<Ended>;
  /** No further life follows the present one, which goes on. */
  retire(): void;
}

export interface Supervision {
  /** Called with every death that another life would follow after `waitMs`; false: it is over instead. */
  onDeath(ended: Ended, waitMs: number): boolean;
  /** An end that another life could not better; by default `isBeyondMending`. */
  readonly isFinal?: (ended: Ended) => boolean;
  readonly policy?: BackoffPolicy & { readonly settledMs: number };
  /** In [0, 1). */
  readonly random?: () => number;
}

/** A life of `settledMs` makes the next death the first one again. */
const usual = { firstMs: 200, longestMs: 30_000, settledMs: 60_000 };

/** Failures that lie in the job, the data or the machine: they would come again. */
const beyondMending: ReadonlySet<LimbeckErrorCode> = new Set([
  "usage",
  "bad_job",
  "bad_data",
  "bad_model",
  "engine_unavailable",
  "diverged",
]);

/** It ended in order, or in a way that would only come again. */
export function isBeyondMending({ exitCode, failure }: Ended): boolean {
  return exitCode === 0 || exitCode === 2 || (failure !== null && beyondMending.has(failure));
}

/** @param start starts a life; the first is 1 */
export function supervise(name: string, start: (life: number) => Child, supervision: Supervision): Supervised {
  const { onDeath, isFinal = isBeyondMending, policy = usual, random = Math.random } = supervision;
  const retired = new AbortController();
  let child = start(1);
  const live = async (): Promise<Ended> => {
    let attempt = 0;
    for (let life = 2; ; life++) {
      const startedMs = performance.now();
      const ended = await child.ended;
      if (retired.signal.aborted || isFinal(ended)) return ended;
      if (ended.exitCode === againCode) {
        attempt = 0;
        child = start(life);
        continue;
      }
      if (performance.now() - startedMs >= policy.settledMs) attempt = 0;
      const waitMs = backoffMs(policy, attempt++, random());
      if (!onDeath(ended, waitMs)) return ended;
      await setTimeout(waitMs, undefined, { signal: retired.signal }).catch(() => {});
      if (retired.signal.aborted) return ended;
      child = start(life);
    }
  };
  return {
    name,
    get child() {
      return child;
    },
    over: live(),
    retire: () => retired.abort(),
  };
}

/** What is told of a death that another life follows. */
export function deathNote(name: string, { how }: Ended, waitMs: number): string {
  return `${name} ${how}\n  it is started again in ${(waitMs / 1000).toFixed(1)} s`;
}
