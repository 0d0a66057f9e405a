/** What goes wrong, drawn from the seed: a handful of faults in the first seconds, each of which ends. */
import type { Cluster } from "./cluster.ts";
import { type ClusterFault, ClusterFaults, clusterWeights } from "./clusterfaults.ts";
import { type LeaderFault, leaderWeights } from "./leaderfaults.ts";
import { between, whole } from "./world.ts";

/** Faults begin before this, in ms. */
const longest = 15_000;
const most = 7;

export type FaultKind = ClusterFault | LeaderFault;

export class Faults {
  readonly #cluster: Cluster;
  readonly #weights: readonly [FaultKind, number][];
  readonly #acts: ClusterFaults;
  /** Yet to come. */
  #coming = 0;
  /** Under way. */
  #open = 0;
  #lastMs = 0;

  /** @param only what may go wrong; all that can, if not given */
  constructor(cluster: Cluster, only?: readonly FaultKind[]) {
    this.#cluster = cluster;
    const { random } = cluster.world;
    const isAlone = cluster.coordinators.names.length === 1;
    const all = Object.entries({ ...clusterWeights, ...(isAlone ? {} : leaderWeights) }) as [FaultKind, number][];
    this.#weights = all.filter(([kind]) => !only || only.includes(kind));
    this.#acts = new ClusterFaults(cluster, {
      during: (ms, then) => this.#during(ms, then),
      tell: (what) => cluster.world.story.tell("FAULT", () => what),
      isDisturbed: () => this.#open > 0,
    });
    const count = random() < 0.05 ? 0 : whole(random, 1, most);
    const spanMs = Math.min(longest, 2_000 + 1.2 * cluster.undisturbedMs);
    for (let at = 0; at < count; at++) this.#schedule(this.#draw(), between(random, 200, spanMs));
  }

  /** When all was over; never, while there is more to come. */
  get overMs(): number {
    return this.#open + this.#coming > 0 ? Number.POSITIVE_INFINITY : this.#lastMs;
  }

  #draw(): FaultKind {
    const { random } = this.#cluster.world;
    let left = random() * this.#weights.reduce((total, [, weight]) => total + weight, 0);
    for (const [kind, weight] of this.#weights) {
      left -= weight;
      if (left < 0) return kind;
    }
    return "stream drops";
  }

  #schedule(kind: FaultKind, inMs: number): void {
    const { clock } = this.#cluster.world;
    this.#coming += 1;
    clock.after(inMs, null, () => {
      this.#coming -= 1;
      this.#lastMs = clock.nowMs;
      // A flipped bit is found by comparison: others must not copy the replica before.
      if (this.#cluster.world.invariants.flipped && clock.nowMs < 60_000) return this.#schedule(kind, 300);
      if (kind === "newcomer killed" && !this.#acts.newcomer && clock.nowMs < longest) return this.#schedule(kind, 40);
      if (!this.#acts.happen(kind)) return;
      this.#cluster.faultCounts[kind] = (this.#cluster.faultCounts[kind] ?? 0) + 1;
    });
  }

  /** A fault lasts so long. */
  #during(ms: number, then: () => void): void {
    const { clock } = this.#cluster.world;
    this.#open += 1;
    clock.after(ms, null, () => {
      this.#open -= 1;
      this.#lastMs = clock.nowMs;
      then();
    });
  }
}
