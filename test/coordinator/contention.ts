/** Contenders for a lease on a virtual clock: a register, a network that delays and loses, processes that pause. */
import { type Contender, type Lease, type LeaseEvent, leaseStep, newLease } from "../../coordinator/lease.ts";

export interface ContenderPlan {
  /** Of its clock, against the true one. */
  readonly rate: number;
  /** When it computes nothing, in true milliseconds. */
  readonly pauses: readonly { readonly fromMs: number; readonly forMs: number }[];
}

export interface Schedule {
  readonly contenders: readonly ContenderPlan[];
  /** Of each way of each question, in turn. */
  readonly delaysMs: readonly number[];
  readonly forMs: number;
}

/** A time in which one might decide, in true milliseconds. */
export interface Window {
  readonly contender: number;
  readonly fromMs: number;
  readonly toMs: number;
}

export interface Contention {
  readonly windows: readonly Window[];
  /** In the order in which they were learnt. */
  readonly fences: readonly number[];
}

const ttlMs = 3_000;
const tickMs = 100;
const timeoutMs = 750;

export function contend({ contenders, delaysMs, forMs }: Schedule): Contention {
  const register = { revision: 0, writer: "" };
  const queue: { readonly atMs: number; readonly act: (atMs: number) => void }[] = [];
  const windows: Window[] = [];
  const fences: number[] = [];
  let legs = 0;
  const delay = () => delaysMs[legs++ % delaysMs.length]!;
  const schedule = (atMs: number, act: (atMs: number) => void) => void queue.push({ atMs, act });

  contenders.forEach(({ rate, pauses }, contender) => {
    const own: Contender = { writer: `c${contender}`, ttlMs };
    let lease: Lease = newLease;
    let questions = 0;
    /** Later, where it pauses then. */
    const awake = (atMs: number): number => {
      const pause = pauses.find(({ fromMs, forMs }) => atMs >= fromMs && atMs < fromMs + forMs);
      return pause ? awake(pause.fromMs + pause.forMs) : atMs;
    };
    const happen = (atMs: number, event: (atMs: number) => LeaseEvent) => {
      const wakesMs = awake(atMs);
      if (wakesMs > atMs) return schedule(wakesMs, (now) => happen(now, event));
      const [next, ...effects] = leaseStep(own, lease, event(atMs * rate));
      lease = next;
      if (lease.kind === "leading" && lease.validUntilMs > atMs * rate)
        windows.push({ contender, fromMs: atMs, toMs: lease.validUntilMs / rate });
      for (const effect of effects) {
        if (effect.kind === "lead") fences.push(effect.fence);
        if (effect.kind === "read") ask(atMs, readRegister, { kind: "unseen" });
        if (effect.kind === "write") ask(atMs, () => compareAndSet(effect.expected), { kind: "unknown" });
      }
    };
    type Answer = LeaseEvent extends infer E ? (E extends LeaseEvent ? Omit<E, "atMs"> : never) : never;
    const ask = (atMs: number, served: () => Answer, silence: Answer) => {
      const question = ++questions;
      const answer = (at: number, words: Answer) =>
        happen(at, (local) => {
          // The first of the two counts.
          if (question !== questions) return { kind: "tick", atMs: local };
          questions++;
          return { ...words, atMs: local } as LeaseEvent;
        });
      schedule(atMs + delay(), (there) => {
        const words = served();
        schedule(there + delay(), (back) => answer(back, words));
      });
      schedule(atMs + timeoutMs / rate, (late) => answer(late, silence));
    };
    const readRegister = (): Answer => ({ kind: "saw", ttlMs, ...register });
    const compareAndSet = (expected: number): Answer => {
      if (expected !== register.revision) return { kind: "refused" };
      register.revision += 1;
      register.writer = own.writer;
      return { kind: "wrote", revision: register.revision };
    };
    const tick = (atMs: number) => {
      happen(atMs, (local) => ({ kind: "tick", atMs: local }));
      if (atMs < forMs) schedule(atMs + tickMs / rate, tick);
    };
    schedule(contender, tick);
  });

  while (queue.length > 0) {
    let first = 0;
    for (let at = 1; at < queue.length; at++) if (queue[at]!.atMs < queue[first]!.atMs) first = at;
    const [{ atMs, act }] = queue.splice(first, 1) as [(typeof queue)[number]];
    if (atMs < forMs) act(atMs);
  }
  return { windows, fences };
}

/** The first two windows of different contenders that overlap. */
export function overlap({ windows }: Contention): readonly [Window, Window] | null {
  for (const a of windows)
    for (const b of windows) if (a.contender < b.contender && a.fromMs < b.toMs && b.fromMs < a.toMs) return [a, b];
  return null;
}
