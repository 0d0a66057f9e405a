/** The all-reduce of one term, as worker/exchange/exchange.ts: partial sums of the own slice from all, added along the tree, the result to all. */
import { LimbeckError } from "../../core/errors.ts";
import { slices } from "../../core/slices.ts";
import { maximalSubtrees, rootOf, type TreeNode } from "../../core/tree.ts";
import { add, elements, type Gradient } from "./arithmetic.ts";
import type { Membership } from "./membership.ts";
import type { Payload, Peers } from "./peers.ts";
import { Signal, type Task, together, wait } from "./task.ts";
import type { World } from "./world.ts";

export interface Partials {
  readonly nodes: readonly TreeNode[];
  readonly vectors: readonly Gradient[];
  readonly ids: Uint32Array;
  readonly isTainted: boolean;
}

export interface Reduced {
  readonly sum: Gradient;
  readonly ids: Uint32Array;
  readonly isTainted: boolean;
}

/** core/slices.ts cuts at cache lines. */
const line = 16;

export class Exchange {
  readonly missing = new Set<string>();
  readonly #world: World;
  readonly #peers: Peers;
  readonly #membership: Membership;
  readonly #held: readonly (readonly TreeNode[])[];
  readonly #slices: readonly { readonly first: number; readonly end: number }[];

  constructor(world: World, peers: Peers, membership: Membership) {
    const { students } = membership;
    this.#world = world;
    this.#peers = peers;
    this.#membership = membership;
    this.#held = students.map(({ firstLane, lanes }) => maximalSubtrees(firstLane, lanes, world.oracle.ledger.lanes));
    this.#slices = slices(line * elements, students.length).map(({ offset, length }) => ({
      first: offset / line,
      end: (offset + length) / line,
    }));
  }

  /** Sums of the subtrees this member holds whole. */
  partials(gradients: readonly Gradient[], ids: Uint32Array, isTainted: boolean): Partials {
    const { firstLane } = this.#membership.students[this.#membership.rank!]!;
    const { lanes } = this.#world.oracle.ledger;
    const nodes = this.#held[this.#membership.rank!]!;
    let at = 0;
    const vectors = nodes.map((node) => {
      const count = Math.min((node.index + 1) * 2 ** node.level, lanes) - node.index * 2 ** node.level;
      const first = firstLane + at;
      const leaves = Array.from({ length: count }, (_, index) => ({ level: 0, index: first + index }));
      const sums = gradients.slice(at, at + count).map((gradient) => gradient.slice());
      at += count;
      this.#addUp(sums, leaves, node);
      return sums[0]!;
    });
    return { nodes, vectors, ids, isTainted };
  }

  /** @param onOverwrite called when all others have come so far that they need nothing of the step before */
  *allReduce(step: number, own: Partials, signal: Signal, onOverwrite: () => void): Task<Reduced> {
    const failure = new Signal();
    const off = signal.onAbort((reason) => failure.abort(reason));
    try {
      const { term, rank, students } = this.#membership;
      const { publications } = this.#peers;
      for (const [slice, { first, end }] of this.#slices.entries()) {
        if (slice === rank) continue;
        const vectors = own.vectors.map((vector) => vector.slice(first, end));
        const { nodes, ids, isTainted } = own;
        publications.publish({ kind: "partials", term, step, slice, nodes, ids, isTainted, vectors });
      }
      const partials = yield* this.#fromOthers("partials", step, failure, (payload, from) => {
        if (!sameNodes(payload.nodes!, this.#held[from]!)) {
          throw new LimbeckError("diverged", `${students[from]!.worker} dealt itself other lanes in step ${step}`);
        }
      });
      onOverwrite();
      const { first, end } = this.#slices[rank!]!;
      const addends = this.#held.flatMap((_, from) =>
        from === rank
          ? own.vectors.map((vector) => vector.slice(first, end))
          : partials[from]!.vectors!.map((v) => [...v]),
      );
      const { lanes } = this.#world.oracle.ledger;
      this.#addUp(addends, this.#held.flat(), rootOf(lanes));
      const mine = addends[0]!;
      let isTainted = own.isTainted || partials.some((payload) => payload?.isTainted);
      const all = students.map((_, from) => (from === rank ? own.ids : partials[from]!.ids!));
      let sums: (readonly number[])[] = [mine];
      if (students.length > 1) {
        publications.publish({ kind: "reduced", term, step, slice: rank!, vectors: [mine], isTainted });
        const reduced = yield* this.#fromOthers("reduced", step, failure, () => {});
        sums = students.map((_, from) => (from === rank ? mine : reduced[from]!.vectors![0]!));
        isTainted ||= reduced.some((payload) => payload?.isTainted);
      }
      return { sum: sums.flat(), ids: Uint32Array.from(all.flatMap((ids) => [...ids])), isTainted };
    } finally {
      off();
      this.missing.clear();
    }
  }

  #addUp(vectors: Gradient[], nodes: readonly TreeNode[], goal: TreeNode): void {
    for (const { into, from } of this.#world.code.additions(nodes, goal, this.#world.oracle.ledger.lanes)) {
      const [one, other] = [vectors[into]!, vectors[from]!];
      for (let element = 0; element < one.length; element++) one[element] = add(one[element]!, other[element]!);
    }
  }

  /** By rank; nothing at the own. */
  *#fromOthers(
    kind: "partials" | "reduced",
    step: number,
    failure: Signal,
    check: (payload: Payload, from: number) => void,
  ): Task<(Payload | undefined)[]> {
    const { students, rank } = this.#membership;
    const { gradientMs: deadlineMs } = this.#world.scene;
    const others = students.flatMap((_, from) => (from === rank ? [] : [from]));
    const pulls = others.map((from) =>
      this.#pullOne(students[from]!.worker, { kind, from, step }, failure, deadlineMs),
    );
    const payloads = yield* wait(together(pulls, (error) => failure.abort(error as LimbeckError)));
    const found: (Payload | undefined)[] = students.map(() => undefined);
    for (const [at, from] of others.entries()) {
      found[from] = payloads[at]!;
      check(payloads[at]!, from);
    }
    return found;
  }

  *#pullOne(
    worker: string,
    { kind, from, step }: { kind: "partials" | "reduced"; from: number; step: number },
    signal: Signal,
    deadlineMs: number,
  ): Task<Payload> {
    const { term, rank } = this.#membership;
    const what = `${kind} of step ${step} from ${worker}`;
    this.missing.add(what);
    const slice = kind === "partials" ? rank! : from;
    const payload = yield* this.#peers.pull(worker, { term, kind, step, slice }, { deadlineMs, signal });
    this.missing.delete(what);
    return payload;
  }
}

function sameNodes(one: readonly TreeNode[], other: readonly TreeNode[]): boolean {
  return (
    one.length === other.length &&
    one.every(({ level, index }, at) => level === other[at]!.level && index === other[at]!.index)
  );
}
