/** What this worker has published in the current term, and who waits for what is not there yet. */
import { LimbeckError } from "../../core/errors.ts";
import type { TreeNode } from "../../core/tree.ts";
import type { Payload } from "./payload.ts";

/**
 * "partials": sums of lane gradients; "reduced": the sum of a slice; "teacher": its weights; "state": the replica, and
 * "sum": the gradient sum of the step before; "snapshot" and "delta": copies of these two for whoever follows.
 */
export const payloadKinds = ["partials", "reduced", "teacher", "state", "sum", "snapshot", "delta"] as const;
export type PayloadKind = (typeof payloadKinds)[number];

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
  /** Partials: ids of the examples the sender's lanes consumed. Sum and delta: of the whole step. */
  readonly examples?: Uint32Array;
  /** Teacher, state and snapshot: of the weights. */
  readonly sha256?: string;
  /** What else goes with it, as it is when the payload is sent. */
  readonly replica?: () => string;
}

interface Waiter {
  readonly wanted: Wanted;
  readonly resolve: (publication: Publication) => void;
  readonly reject: (error: LimbeckError) => void;
}

export class Publications {
  /** The latest of every kind and slice; of deltas those that are kept. */
  readonly #published = new Map<string, Publication>();
  readonly #waiters = new Set<Waiter>();
  #term = 0;
  #closedBecause: string | null = null;
  /** Step of the latest delta. */
  #delta = -1;

  get term(): number {
    return this.#term;
  }

  /** L3. Forgets older terms and releases who waits for them. Throws `stale_term` where a newer one is open. */
  openTerm(term: number): void {
    if (term < this.#term) throw stale(term, this.#term);
    if (term === this.#term) return;
    this.#term = term;
    this.#closedBecause = null;
    this.#delta = -1;
    this.#published.clear();
    this.#release((wanted) => (wanted.term < term ? stale(wanted.term, term) : null));
  }

  /** A new life of the worker: terms begin anew. */
  reset(why: string): void {
    this.#release(({ term }) => closed(term, why));
    this.#term = 0;
    this.#published.clear();
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
    if (publication.kind === "delta") this.#delta = publication.step;
    // A snapshot is of the moment it is taken in: only who has asked before gets it.
    if (publication.kind !== "snapshot") this.#published.set(placeOf(publication), publication);
    for (const waiter of this.#waiters) {
      if (!isFor(publication, waiter.wanted)) continue;
      this.#waiters.delete(waiter);
      waiter.resolve(publication);
    }
  }

  /** Its memory is about to change: who asks from now on does not get it. */
  withdraw(publication: Wanted): void {
    if (publication.term === this.#term) this.#published.delete(placeOf(publication));
  }

  /** Somebody waits for a payload of this kind in the current term. */
  isWanted(kind: PayloadKind): boolean {
    for (const { wanted } of this.#waiters) if (wanted.kind === kind && wanted.term === this.#term) return true;
    return false;
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
      if ((published && published.step > wanted.step) || (wanted.kind === "delta" && wanted.step <= this.#delta)) {
        const newer = published?.step ?? this.#delta;
        throw new LimbeckError("unavailable", `${described(wanted)} is gone: step ${newer} has been published since`);
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

function placeOf({ kind, slice, step }: Wanted): string {
  return kind === "delta" ? `${kind}-${step}` : `${kind}-${slice}`;
}

function isFor(publication: Publication, wanted: Wanted): boolean {
  const isOfStep = publication.step === wanted.step || publication.kind === "snapshot";
  return placeOf(publication) === placeOf(wanted) && publication.term === wanted.term && isOfStep;
}

function stale(asked: number, current: number): LimbeckError {
  return new LimbeckError("stale_term", `term ${asked} is over: the current term is ${current}`);
}

function closed(term: number, why: string): LimbeckError {
  return new LimbeckError("stale_term", `term ${term} is closed: ${why}`);
}
