/** A replica: everything a student must hold to go on training from a step. All replicas of a job are equal after every step (L1). */
import { Consumption, type ConsumptionTotals } from "../core/consumption.ts";
import type { Layout } from "../core/layout.ts";
import type { LedgerPlan } from "../core/ledger.ts";
import type { StagePlan } from "../core/stages.ts";
import { weightsInOrder } from "./artifacts/digest.ts";
import type { BuiltNetwork } from "./compute/protocol.ts";
import { copyInTurns, sha256InTurns } from "./turns.ts";

/** Steps that were skipped because their gradient was not finite. */
export interface Skips {
  total: number;
  /** Of them, the last ones. */
  inARow: number;
}

/** The part of a replica that changes with every step. */
export interface ReplicaState {
  readonly weights: Float32Array;
  readonly optimizerState: Float32Array;
  readonly consumption: Consumption;
  readonly skips: Readonly<Skips>;
  /** Updates applied to the weights, skipped ones included. */
  readonly step: number;
}

export interface Replica extends ReplicaState {
  readonly plan: StagePlan;
  readonly ledger: LedgerPlan;
  readonly layout: Layout;
  /** Names of the weights in the model's own order. */
  readonly order: readonly string[];
  readonly topology: unknown;
  /** Of a teacher that is only asked, which has no weights here; else null. */
  readonly givenSha256: string | null;
  /** In the shared arena, all three; the views are made anew when it is laid out anew. */
  weights: Float32Array;
  optimizerState: Float32Array;
  /** [layout.gradient]: the sum of the last step, while `sumStep` says so. */
  sum: Float32Array;
  consumption: Consumption;
  readonly skips: Skips;
  step: number;
  /** The step whose whole sum is in `sum`; null where none is. */
  sumStep: number | null;
  /** Ids of that step, in lane order. */
  sumExamples: Uint32Array;
}

export interface ReplicaVectors {
  readonly weights: Float32Array;
  readonly optimizerState: Float32Array;
  readonly sum: Float32Array;
}

/** The replica at step 0, in the memory given to it, whose optimizer state is zero. */
export function initialReplica(
  plan: StagePlan,
  ledger: LedgerPlan,
  built: BuiltNetwork,
  vectors: ReplicaVectors,
): Replica {
  const { layout, order, topology, givenSha256 } = built;
  const consumption = new Consumption(ledger.trainExamples);
  const skips = { total: 0, inARow: 0 };
  const noSum = { sumStep: null, sumExamples: new Uint32Array() };
  return { plan, ledger, layout, order, topology, givenSha256, ...vectors, consumption, skips, step: 0, ...noSum };
}

/** Holds the sum of the step before its own: one that is a step behind may apply it. */
export function hasSum({ step, sumStep }: Replica): boolean {
  return sumStep !== null && sumStep === step - 1;
}

/** sha256 of its weights in the model's own order, or what a given teacher has instead; it must not train meanwhile. */
export async function weightsDigest({ order, layout, weights, givenSha256 }: Replica): Promise<string> {
  if (givenSha256 !== null) return givenSha256;
  return await sha256InTurns(weightsInOrder(order, layout, weights));
}

/** A copy of the state in memory of its own; it must not train meanwhile. */
export async function copyState(replica: ReplicaState): Promise<ReplicaState> {
  const weights = new Float32Array(replica.weights.length);
  const optimizerState = new Float32Array(replica.optimizerState.length);
  await copyInTurns(weights, replica.weights);
  await copyInTurns(optimizerState, replica.optimizerState);
  const { seen, totals } = replica.consumption;
  const consumption = new Consumption(seen.length, { seen, totals });
  return { weights, optimizerState, consumption, skips: { ...replica.skips }, step: replica.step };
}

/** Makes the state the replica's own. The compute thread must be told of the weights. */
export async function takeState(replica: Replica, state: ReplicaState): Promise<void> {
  replica.sumStep = null;
  await copyInTurns(replica.weights, state.weights);
  await copyInTurns(replica.optimizerState, state.optimizerState);
  replica.consumption = state.consumption;
  Object.assign(replica.skips, state.skips);
  replica.step = state.step;
}

/** What of a state is no vector. */
export interface ReplicaFacts {
  readonly totals: ConsumptionTotals;
  readonly skips: Readonly<Skips>;
}
