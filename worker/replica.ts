/** A replica: everything a student must hold to go on training from a step. All replicas of a job are equal after every step (L1). */
import { Consumption } from "../core/consumption.ts";
import type { Layout } from "../core/layout.ts";
import type { LedgerPlan } from "../core/ledger.ts";
import type { StagePlan } from "../core/stages.ts";
import type { BuiltNetwork } from "./compute/protocol.ts";

export interface Replica {
  readonly plan: StagePlan;
  readonly ledger: LedgerPlan;
  readonly layout: Layout;
  /** Names of the weights in the model's own order. */
  readonly order: readonly string[];
  readonly topology: unknown;
  /** In the shared arena, both. */
  readonly weights: Float32Array;
  readonly optimizerState: Float32Array;
  readonly consumption: Consumption;
  /** Updates applied to the weights. */
  step: number;
}

/** The replica at step 0, in the memory given to it. */
export function initialReplica(
  plan: StagePlan,
  ledger: LedgerPlan,
  built: BuiltNetwork,
  memory: { weights: Float32Array; optimizerState: Float32Array },
): Replica {
  memory.weights.set(built.weights);
  memory.optimizerState.fill(0);
  const { layout, order, topology } = built;
  return {
    plan,
    ledger,
    layout,
    order,
    topology,
    ...memory,
    consumption: new Consumption(ledger.trainExamples),
    step: 0,
  };
}
