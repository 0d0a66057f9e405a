/**
 * The ledger is one integer, the step. Which examples a step and a lane take follows from it and the seed alone, so
 * every example counts exactly once per epoch (L2), whoever computes it and whatever fails.
 */
import { permutation } from "./permutation.ts";
import { purpose } from "./random.ts";

export interface LedgerPlan {
  readonly seed: number;
  readonly trainExamples: number;
  /** Lanes per step. */
  readonly lanes: number;
  /** Examples per lane. */
  readonly laneBatch: number;
}

/** A run of positions in the order of an epoch. */
export interface Share {
  readonly first: number;
  readonly examples: number;
}

/** Examples of a full step. */
export function globalBatch(plan: LedgerPlan): number {
  return plan.lanes * plan.laneBatch;
}

/**
 * What a step takes. The last step of an epoch is smaller: nothing is padded, nothing dropped.
 * @param step 0-based, over the whole stage
 */
export function stepShare(plan: LedgerPlan, step: number): Share & { readonly epoch: number } {
  const full = globalBatch(plan);
  const perEpoch = Math.ceil(plan.trainExamples / full);
  const first = (step % perEpoch) * full;
  return { epoch: Math.floor(step / perEpoch), first, examples: Math.min(full, plan.trainExamples - first) };
}

/** What a lane takes of a step. In a smaller step the first lanes are full, one may be partial, the rest are empty. */
export function laneShare(plan: LedgerPlan, step: number, lane: number): Share {
  const share = stepShare(plan, step);
  const before = Math.min(lane * plan.laneBatch, share.examples);
  return { first: share.first + before, examples: Math.min(plan.laneBatch, share.examples - before) };
}

/** Ids of the examples a lane takes of a step, in order. */
export function laneExamples(plan: LedgerPlan, step: number, lane: number): Uint32Array {
  const { first, examples } = laneShare(plan, step, lane);
  const order = permutation(plan.trainExamples, purpose.order, plan.seed, stepShare(plan, step).epoch);
  return Uint32Array.from({ length: examples }, (_, at) => order(first + at));
}
