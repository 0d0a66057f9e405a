/** What this worker has published in the current term, and who waits for what is not there yet. */
import { LimbeckError } from "../../core/errors.ts";
import type { TreeNode } from "../../core/tree.ts";
import type { Payload } from "./payload.ts";

/** "partials": sums of lane gradients; "reduced": the sum of a slice; "teacher", "state": weights. */
export type PayloadKind = "partials" | "reduced" | "teacher" | "state";

/** What is asked for. `slice`: rank of the student that owns the slice, 0 where the payload is whole. */
export interface Wanted {
  readonly term: number;
  readonly kind: string;
  readonly step: number;
  readonly slice: number;
}

export interface Publication extends Wanted {
  readonly kind: PayloadKind;
  /** Read, not copied: its owner leaves it as it is until everyone who needs it has pulled it. */
  readonly payload: Payload;
  /** Partials: the subtrees the payload holds, one after another. */
  readonly nodes?: readonly TreeNode[];
  /** Partials: ids of the examples the sender's lanes consumed. */
  readonly examples?: Uint32Array;
  /** Teacher and state: of the weights. */
  readonly sha256?: string;
}

interface Waiter {
  readonly wanted: Wanted;
  readonly resolve: (publication: Publication) => void;
  readonly reject: (error: LimbeckError) => void;
}

export class Publications {
  /** The latest of every kind and slice. */
  readonly #published = new Map<string, Publication>();
  readonly #waiters = new Set<Waiter>();
  #term = 0;
  #closedBecause: string | null = null;

  get term(): number {
    return this.#term;
  }

  /** L3. Forgets older terms and releases who waits for them. Throws `stale_term` where a newer one is open. */
  openTerm(term: number): void {
    if (term < this.#term) throw stale(term, this.#term);
    if (term === this.#term) return;
    this.#term = term;
    this.#closedBecause = null;
    this.#published.clear();
    this.#release((wanted) => (wanted.term < term ? stale(wanted.term, term) : null));
  }

  /**
   * Nothing more is published in this term: who waits is released with `stale_term`. What is there stays until the next
   * term opens, for a member that has finished the last step may leave before the others have pulled its last slice.
   */
  closeTerm(term: number, why: string): void {
    if (term !== this.#term) return;
    this.#closedBecause = why;
    this.#release((wanted) => (wanted.term === term ? closed(term, why) : null));
  }

  /** Opens the publication's term where that is newer. Throws `stale_term` where it is over. */
  publish(publication: Publication): void {
    this.openTerm(publication.term);
    if (this.#closedBecause !== null) throw closed(publication.term, this.#closedBecause);
    this.#published.set(placeOf(publication), publication);
    for (const waiter of this.#waiters) {
      if (!isFor(publication, waiter.wanted)) continue;
      this.#waiters.delete(waiter);
      waiter.resolve(publication);
    }
  }

  /**
   * The publication, as soon as it is there.
   * @param signal ends the wait with its reason
   * @throws stale_term, and `unavailable` for a step whose successor is published already
   */
  async take(wanted: Wanted, signal: AbortSignal): Promise<Publication> {
    signal.throwIfAborted();
    if (wanted.term < this.#term) throw stale(wanted.term, this.#term);
    if (wanted.term === this.#term) {
      const published = this.#published.get(placeOf(wanted));
      if (published?.step === wanted.step) return published;
      if (published && published.step > wanted.step) {
        throw new LimbeckError(
          "unavailable",
          `${described(wanted)} is gone: step ${published.step} has been published since`,
        );
      }
      if (this.#closedBecause !== null) throw closed(wanted.term, this.#closedBecause);
    }
    let waiter: Waiter | undefined;
    let onAbort = () => {};
    try {
      return await new Promise<Publication>((resolve, reject) => {
        waiter = { wanted, resolve, reject };
        this.#waiters.add(waiter);
        onAbort = () => reject(signal.reason);
        signal.addEventListener("abort", onAbort);
      });
    } finally {
      signal.removeEventListener("abort", onAbort);
      if (waiter) this.#waiters.delete(waiter);
    }
  }

  #release(reason: (wanted: Wanted) => LimbeckError | null): void {
    for (const waiter of this.#waiters) {
      const error = reason(waiter.wanted);
      if (error) waiter.reject(error);
    }
  }
}

/** For messages. */
export function described({ kind, step, slice }: Wanted): string {
  return kind === "partials" || kind === "reduced"
    ? `${kind} of step ${step}, slice ${slice}`
    : `${kind} of step ${step}`;
}

function placeOf({ kind, slice }: Wanted): string {
  return `${kind}-${slice}`;
}

function isFor(publication: Publication, wanted: Wanted): boolean {
  return (
    placeOf(publication) === placeOf(wanted) && publication.term === wanted.term && publication.step === wanted.step
  );
}

function stale(asked: number, current: number): LimbeckError {
  return new LimbeckError("stale_term", `term ${asked} is over: the current term is ${current}`);
}

function closed(term: number, why: string): LimbeckError {
  return new LimbeckError("stale_term", `term ${term} is closed: ${why}`);
}
