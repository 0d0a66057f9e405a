/** The replica for a student that follows, as worker/feed.ts: a snapshot at a boundary, then every step's sum. */
import type { Wanted } from "./publications.ts";
import type { Replica } from "./replica.ts";
import type { WorkerProcess } from "./worker.ts";

/** Few, so that followers fall behind. */
const fewestDeltas = 4;
const idleMs = 10_000;

export class Feed {
  readonly #worker: WorkerProcess;
  readonly #term: number;
  readonly #replica: Replica;
  readonly #ring: Wanted[] = [];
  #askedMs: number | null = null;
  #newest = 0;

  constructor(worker: WorkerProcess, term: number, replica: Replica) {
    this.#worker = worker;
    this.#term = term;
    this.#replica = replica;
  }

  atBoundary(): void {
    if (this.#askedMs !== null) this.#publishDelta();
    if (this.#worker.peers.publications.isWanted("snapshot")) this.#publishSnapshot();
  }

  #publishSnapshot(): void {
    const state = this.#replica.state();
    const what = { term: this.#term, kind: "snapshot", step: state.step, slice: 0 } as const;
    this.#newest = state.step;
    this.#askedMs = this.#worker.nowMs;
    this.#worker.peers.publications.publish({ ...what, state, isTainted: state.isTainted });
  }

  #publishDelta(): void {
    const { sum } = this.#replica;
    if (sum === null) return;
    const { publications } = this.#worker.peers;
    const what = { term: this.#term, kind: "delta", step: sum.step, slice: 0 } as const;
    this.#newest = sum.step + 1;
    const newest = () => {
      this.#askedMs = this.#worker.nowMs;
      return this.#newest;
    };
    publications.publish({ ...what, vectors: [sum.values], ids: sum.ids, newest, isTainted: sum.isTainted });
    this.#ring.push(what);
    while (this.#ring.length > fewestDeltas) publications.withdraw(this.#ring.shift()!);
    if (this.#worker.nowMs - this.#askedMs! <= idleMs) return;
    this.#askedMs = null;
    for (const delta of this.#ring.splice(0)) publications.withdraw(delta);
  }
}
