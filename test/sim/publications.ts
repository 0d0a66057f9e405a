/** What a worker has published in its term: the rules of worker/exchange/publications.ts, told when it is there instead of awaited. */
import { LimbeckError } from "../../core/errors.ts";
import type { TreeNode } from "../../core/tree.ts";
import type { ReplicaState } from "./replica.ts";
import type { Settle } from "./task.ts";

export type PayloadKind = "partials" | "reduced" | "teacher" | "state" | "sum" | "snapshot" | "delta";

export interface Wanted {
  readonly term: number;
  readonly kind: PayloadKind;
  readonly step: number;
  readonly slice: number;
}

export interface Publication extends Wanted {
  /** Partials: one vector per node. Reduced: one. Sum and delta: one. Teacher: [[weights]]. */
  readonly vectors?: readonly (readonly number[])[];
  readonly nodes?: readonly TreeNode[];
  readonly ids?: Uint32Array;
  readonly state?: ReplicaState;
  /** Delta: the newest step the source has, when it is sent. */
  readonly newest?: () => number;
  /** Made from a replica whose bits were flipped. */
  readonly isTainted: boolean;
}

interface Waiter {
  readonly wanted: Wanted;
  readonly settle: Settle<Publication>;
}

/** The rule that L3 hangs on, for a mutation to break. */
export type IsOfTerm = (wanted: number, current: number) => "older" | "current" | "newer";

export const isOfTerm: IsOfTerm = (wanted, current) =>
  wanted < current ? "older" : wanted === current ? "current" : "newer";

export class Publications {
  readonly #isOfTerm: IsOfTerm;
  readonly #published = new Map<string, Publication>();
  readonly #waiters = new Set<Waiter>();
  #term = 0;
  #closedBecause: string | null = null;
  #delta = -1;

  constructor(rule: IsOfTerm) {
    this.#isOfTerm = rule;
  }

  get term(): number {
    return this.#term;
  }

  openTerm(term: number): void {
    if (term < this.#term) throw stale(term, this.#term);
    if (term === this.#term) return;
    this.#term = term;
    this.#closedBecause = null;
    this.#delta = -1;
    // A mutation may forget to forget.
    if (this.#isOfTerm(term - 1, term) === "older") this.#published.clear();
    this.#release((wanted) => (this.#isOfTerm(wanted.term, term) === "older" ? stale(wanted.term, term) : null));
  }

  reset(why: string): void {
    this.#release(({ term }) => closed(term, why));
    this.#term = 0;
    this.#published.clear();
  }

  closeTerm(term: number, why: string): void {
    if (term !== this.#term) return;
    this.#closedBecause = why;
    this.#release((wanted) => (wanted.term === term ? closed(term, why) : null));
  }

  publish(publication: Publication): void {
    this.openTerm(publication.term);
    if (this.#closedBecause !== null) throw closed(publication.term, this.#closedBecause);
    if (publication.kind === "delta") this.#delta = publication.step;
    if (publication.kind !== "snapshot") this.#published.set(placeOf(publication), publication);
    for (const waiter of [...this.#waiters]) {
      const { wanted, settle } = waiter;
      const isOfStep = publication.step === wanted.step || publication.kind === "snapshot";
      const isOfThisTerm = this.#isOfTerm(wanted.term, this.#term) === "current";
      if (placeOf(publication) !== placeOf(wanted) || !isOfThisTerm || !isOfStep) continue;
      this.#waiters.delete(waiter);
      settle.ok(publication);
    }
  }

  withdraw(publication: Wanted): void {
    if (publication.term === this.#term) this.#published.delete(placeOf(publication));
  }

  isWanted(kind: PayloadKind): boolean {
    for (const { wanted } of this.#waiters) if (wanted.kind === kind && wanted.term === this.#term) return true;
    return false;
  }

  /** Gives what takes the request back. */
  take(wanted: Wanted, settle: Settle<Publication>): () => void {
    const age = this.#isOfTerm(wanted.term, this.#term);
    if (age === "older") settle.fail(stale(wanted.term, this.#term));
    else if (age === "newer" || !this.#answer(wanted, settle)) {
      const waiter = { wanted, settle };
      this.#waiters.add(waiter);
      return () => void this.#waiters.delete(waiter);
    }
    return () => {};
  }

  #answer(wanted: Wanted, { ok, fail }: Settle<Publication>): boolean {
    const published = this.#published.get(placeOf(wanted));
    if (published?.step === wanted.step) {
      ok(published);
      return true;
    }
    if ((published && published.step > wanted.step) || (wanted.kind === "delta" && wanted.step <= this.#delta)) {
      fail(new LimbeckError("unavailable", `${wanted.kind} of step ${wanted.step} is gone`));
      return true;
    }
    if (this.#closedBecause === null) return false;
    fail(closed(wanted.term, this.#closedBecause));
    return true;
  }

  #release(reason: (wanted: Wanted) => LimbeckError | null): void {
    for (const waiter of [...this.#waiters]) {
      const error = reason(waiter.wanted);
      if (!error) continue;
      this.#waiters.delete(waiter);
      waiter.settle.fail(error);
    }
  }
}

function placeOf({ kind, slice, step }: Wanted): string {
  return kind === "delta" ? `${kind}-${step}` : `${kind}-${slice}`;
}

function stale(asked: number, current: number): LimbeckError {
  return new LimbeckError("stale_term", `term ${asked} is over: the current term is ${current}`);
}

function closed(term: number, why: string): LimbeckError {
  return new LimbeckError("stale_term", `term ${term} is closed: ${why}`);
}
