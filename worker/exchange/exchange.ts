/**
 * The all-reduce of one term: direct reduce-scatter and all-gather in two rounds. Each member owns one slice of the
 * gradient vector, pulls that slice's partial sums from the others, adds all along the tree (L1), and the others pull the
 * result.
 *
 * Why memory may be written again. Member p returns from allReduce(s) once it has every reduced slice of s, and an
 * owner publishes its reduced slice only after it has pulled everyone's partials of s. So when p returns, its partials of
 * s have been pulled by all, and it may compute s + 1 over them. Others may still be pulling p's reduced slice of s
 * meanwhile: it lies in `scratch`, and p overwrites it only when it holds everyone's partials of s + 1, which each
 * publishes after returning from allReduce(s), hence with p's slice of s in hand. `sum` is read by nobody else. The files
 * in shared memory are written when the next payload of their name is published: the same two moments.
 */
import { LimbeckError } from "../../core/errors.ts";
import { type Slice, slices } from "../../core/slices.ts";
import { additions, rootOf, type TreeNode } from "../../core/tree.ts";
import { bytesOf } from "../bytes.ts";
import { idsOf } from "../ids.ts";
import type { Kernels } from "../kernels/kernels.ts";
import { pairsInTurns } from "../turns.ts";
import type { PeerAddress } from "./peerclient.ts";
import type { Peers } from "./peers.ts";

export interface ExchangeTerm extends Peers {
  readonly term: number;
  /** By rank, in the order of their lanes. */
  readonly members: readonly PeerAddress[];
  readonly rank: number;
  /** Leaves of the reduction tree. */
  readonly leaves: number;
  /** By rank: the nodes of the tree each member holds, together all of it, left to right. */
  readonly held: readonly (readonly TreeNode[])[];
  /** One gradient vector per node this member holds; used up by every allReduce. */
  readonly partials: readonly Float32Array[];
  /** Result, a gradient vector. */
  readonly sum: Float32Array;
  /** exchangeScratchFloats() of them. */
  readonly scratch: Float32Array;
  /** Over the memory that partials, sum and scratch lie in. */
  readonly kernels: Pick<Kernels, "add" | "copy">;
  /** For each pull: the slowest member's step, and the transfer. */
  readonly deadlineMs?: number;
  /** Told before an all-reduce first writes to `sum`: what it held until now is the sum of the step before. */
  onOverwrite?(): void;
}

const defaultDeadlineMs = 120_000;

/** Floats of scratch memory for a gradient vector of `floats`: the others' partials of the own slice, and its sum. */
export function exchangeScratchFloats(floats: number, held: readonly (readonly TreeNode[])[], rank: number): number {
  const others = held.flat().length - held[rank]!.length;
  return others === 0 ? 0 : (others + 1) * slices(floats, held.length)[rank]!.length;
}

export class Exchange {
  readonly #settings: ExchangeTerm;
  readonly #slices: readonly Slice[];
  readonly #additions: readonly { readonly into: number; readonly from: number }[];
  /** By rank: where the own slice of a member's partials lands, one node after another; the own rank's is not used. */
  readonly #inbox: readonly Float32Array[];
  /** The own slice of every node, in tree order. */
  readonly #addends: readonly Float32Array[];
  /** The own slice's sum, as the others pull it. */
  readonly #reduced: Float32Array;
  readonly #missing = new Set<string>();
  readonly #closed = new AbortController();

  /** Opens the term: peers of older ones get nothing more. Throws `stale_term` where a newer one is open. */
  constructor(settings: ExchangeTerm) {
    const { held, leaves, members, rank, scratch, partials, sum, server, term } = settings;
    this.#settings = settings;
    this.#slices = slices(sum.length, members.length);
    this.#additions = additions(held.flat(), rootOf(leaves), leaves);
    const own = this.#slices[rank]!;
    let used = 0;
    const take = (floats: number) => {
      used += floats;
      return scratch.subarray(used - floats, used);
    };
    this.#inbox = held.map((nodes, holder) => take(holder === rank ? 0 : nodes.length * own.length));
    this.#addends = held.flatMap((nodes, holder) =>
      holder === rank
        ? partials.map((partial) => within(partial, own))
        : nodes.map((_, at) => within(this.#inbox[holder]!, { offset: at * own.length, length: own.length })),
    );
    this.#reduced = members.length > 1 ? take(own.length) : sum;
    server.openTerm(term);
  }

  /** What the all-reduce in flight lacks, in words; empty where nothing (L7). */
  get waitingFor(): string {
    return [...this.#missing].join(", ");
  }

  /**
   * Sums the gradient vectors of all members into `sum`, with the same bits whatever the deal. After a failure the
   * vectors hold anything, but nothing writes to them any more.
   * @param consumed ids of the examples in the own partials
   * @returns the ids each member consumed, by rank
   * @throws stale_term where the term is over, timeout, unavailable, corrupt, or the signal's reason
   */
  async allReduce(step: number, consumed: Uint32Array, signal: AbortSignal): Promise<{ consumed: Uint32Array[] }> {
    const failure = new AbortController();
    for (const source of [signal, this.#closed.signal]) {
      source.throwIfAborted();
      source.addEventListener("abort", () => failure.abort(source.reason), { signal: failure.signal });
    }
    try {
      const others = await this.#reduce(step, consumed, failure);
      if (others.length > 0) await this.#gather(step, failure);
      return { consumed: others.toSpliced(this.#settings.rank, 0, consumed) };
    } finally {
      failure.abort(null); // Takes the listeners off; a reason of its own making would cost a stack trace per step.
      this.#missing.clear();
    }
  }

  /** Ends the all-reduce in flight at once, with `stale_term`. What is published stays until the next term opens. */
  closeTerm(why: string): void {
    const { server, term } = this.#settings;
    this.#closed.abort(new LimbeckError("stale_term", `term ${term} is closed: ${why}`));
    server.closeTerm(term, why);
  }

  /** Round one: the sum of the own slice. Gives the ids the others consumed. */
  async #reduce(step: number, examples: Uint32Array, failure: AbortController): Promise<Uint32Array[]> {
    const { server, term, held, partials, rank, kernels, sum } = this.#settings;
    for (const [slice, place] of this.#slices.entries()) {
      if (slice === rank) continue;
      const payload = partials.map((partial) => bytesOf(within(partial, place)));
      server.publish({ kind: "partials", term, step, slice, nodes: held[rank]!, examples, payload });
    }
    const consumed = await this.#fromOthers(failure, async (from) => {
      const header = await this.#pull(
        { kind: "partials", step, slice: rank },
        from,
        this.#inbox[from]!,
        failure.signal,
      );
      if (!sameNodes(header.nodes, held[from]!)) {
        throw new LimbeckError(
          "diverged",
          `${this.#settings.members[from]!.worker} dealt itself other lanes in step ${step}`,
        );
      }
      return idsOf(header.examples);
    });
    // Everyone has published partials of this step, so whoever lagged behind has caught up: no one pulls the old sum.
    this.#settings.onOverwrite?.();
    for (const { into, from } of this.#additions) {
      await pairsInTurns(this.#addends[into]!, this.#addends[from]!, kernels.add);
    }
    await pairsInTurns(this.#reduced, this.#addends[0]!, kernels.copy);
    if (consumed.length > 0) await pairsInTurns(within(sum, this.#slices[rank]!), this.#reduced, kernels.copy);
    return consumed;
  }

  /** Round two: the slices that others own. */
  async #gather(step: number, failure: AbortController): Promise<void> {
    const { server, term, rank, sum } = this.#settings;
    server.publish({ kind: "reduced", term, step, slice: rank, payload: [bytesOf(this.#reduced)] });
    await this.#fromOthers(failure, async (from) => {
      await this.#pull({ kind: "reduced", step, slice: from }, from, within(sum, this.#slices[from]!), failure.signal);
    });
  }

  /** Does it for all other ranks at once. The first failure stops them all, and is thrown when none writes any more. */
  async #fromOthers<T>(failure: AbortController, pull: (from: number) => Promise<T>): Promise<T[]> {
    const others = [...this.#settings.members.keys()].filter((rank) => rank !== this.#settings.rank);
    const stopping = others.map((from) =>
      pull(from).catch((thrown) => {
        failure.abort(thrown);
        throw thrown;
      }),
    );
    const settled = await Promise.allSettled(stopping);
    failure.signal.throwIfAborted();
    return settled.map((result) => (result as PromiseFulfilledResult<T>).value);
  }

  async #pull(
    what: { kind: string; step: number; slice: number },
    from: number,
    into: Float32Array,
    signal: AbortSignal,
  ) {
    const { client, members, term, deadlineMs = defaultDeadlineMs } = this.#settings;
    const member = members[from]!;
    const missing = `${what.kind} of step ${what.step} from ${member.worker}`;
    this.#missing.add(missing);
    try {
      return await client.pull(member, { term, ...what, deadlineMs }, into, signal);
    } finally {
      this.#missing.delete(missing);
    }
  }
}

function within(vector: Float32Array, { offset, length }: Slice): Float32Array {
  return vector.subarray(offset, offset + length);
}

function sameNodes(one: readonly TreeNode[], other: readonly TreeNode[]): boolean {
  return (
    one.length === other.length &&
    one.every(({ level, index }, at) => level === other[at]!.level && index === other[at]!.index)
  );
}
