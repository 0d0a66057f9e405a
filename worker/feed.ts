/**
 * The replica for a student that follows: a copy at the next step boundary where a `snapshot` is asked for, then a copy
 * of each step's sum as `delta`. A bounded ring of them is kept; who falls behind it asks for a snapshot again.
 */

import { weightsInOrder } from "./artifacts/digest.ts";
import { bytesOf } from "./bytes.ts";
import type { PeerServer } from "./exchange/peerserver.ts";
import type { Wanted } from "./exchange/publications.ts";
import { copyState, type Replica } from "./replica.ts";
import { stateFacts, statePayload } from "./transfer.ts";
import { copyInTurns, sha256InTurns } from "./turns.ts";

const ringBytes = 128 * 2 ** 20;
const fewestDeltas = 4;
/** Nobody asked for a delta for so long: the follower has gone. */
const idleMs = 10_000;

export class Feed {
  readonly #server: PeerServer;
  readonly #term: number;
  readonly #replica: Replica;
  readonly #ring: Wanted[] = [];
  /** When a delta was last sent, in ms; null while nobody follows. */
  #askedMs: number | null = null;
  #newest = 0;

  constructor(server: PeerServer, term: number, replica: Replica) {
    this.#server = server;
    this.#term = term;
    this.#replica = replica;
  }

  /** At every step boundary, before the next step. */
  async atBoundary(): Promise<void> {
    if (this.#askedMs !== null) await this.#publishDelta();
    if (this.#server.isWanted("snapshot")) await this.#publishSnapshot();
  }

  async #publishSnapshot(): Promise<void> {
    const state = await copyState(this.#replica);
    const { order, layout } = this.#replica;
    const sha256 = await sha256InTurns(weightsInOrder(order, layout, state.weights));
    const facts = stateFacts(state);
    const { step } = state;
    const what = { term: this.#term, kind: "snapshot", step, slice: 0 } as const;
    this.#server.publish({ ...what, payload: statePayload(state), sha256, replica: () => facts });
    this.#newest = step;
    this.#askedMs = performance.now();
  }

  async #publishDelta(): Promise<void> {
    const { sum, sumStep, sumExamples } = this.#replica;
    if (sumStep === null) return;
    const copy = new Float32Array(sum.length);
    await copyInTurns(copy, sum);
    const what = { term: this.#term, kind: "delta", step: sumStep, slice: 0 } as const;
    this.#newest = sumStep + 1;
    const replica = () => {
      this.#askedMs = performance.now();
      return String(this.#newest);
    };
    this.#server.publish({ ...what, payload: [bytesOf(copy)], examples: sumExamples, replica });
    this.#ring.push(what);
    while (this.#ring.length > Math.max(fewestDeltas, ringBytes / sum.byteLength)) {
      this.#server.withdraw(this.#ring.shift()!);
    }
    if (performance.now() - this.#askedMs! > idleMs) this.#end();
  }

  #end(): void {
    this.#askedMs = null;
    for (const delta of this.#ring.splice(0)) this.#server.withdraw(delta);
  }
}
