/** A replica in numbers, with the real count of what it consumed. */
import { Consumption, type ConsumptionState } from "../../core/consumption.ts";
import { type LedgerPlan, stepShare } from "../../core/ledger.ts";
import { type Gradient, isFiniteSum, updated } from "./arithmetic.ts";

export interface ReplicaState {
  /** Place of the stage in the job. */
  readonly stage: number;
  readonly weights: number;
  readonly step: number;
  readonly consumed: ConsumptionState;
  readonly skips: { readonly total: number; readonly inARow: number };
  /** Its bits were flipped, or came from one whose were. */
  readonly isTainted: boolean;
}

/** What an update does to the count of consumed examples, for a mutation to break. */
export type Consume = (consumption: Consumption, ids: Uint32Array, update: { step: number; isRedone: boolean }) => void;

export const consume: Consume = (consumption, ids) => consumption.consume(ids);

/** How one that is a step behind takes the sum it missed, for a mutation to break. */
export type TakeSum = (replica: Replica, values: Gradient, ids: Uint32Array, isTainted: boolean) => void;

export const takeSum: TakeSum = (replica, values, ids, isTainted) =>
  void replica.update(values, ids, { isTainted, isRedone: false });

export class Replica {
  readonly stage: number;
  weights: number;
  step = 0;
  consumption: Consumption;
  skips = { total: 0, inARow: 0 };
  isTainted = false;
  sum: {
    readonly step: number;
    readonly values: Gradient;
    readonly ids: Uint32Array;
    readonly isTainted: boolean;
  } | null = null;
  /** The last step whose gradients were computed. */
  attempted = -1;
  readonly #ledger: LedgerPlan;
  readonly #consume: Consume;

  constructor(stage: number, initial: number, ledger: LedgerPlan, how: Consume) {
    this.stage = stage;
    this.weights = initial;
    this.consumption = new Consumption(ledger.trainExamples);
    this.#ledger = ledger;
    this.#consume = how;
  }

  /** As worker/update.ts: true where the step was skipped. */
  update(values: Gradient, ids: Uint32Array, from: { isTainted: boolean; isRedone: boolean }): boolean {
    const { step } = this;
    const isSkipped = !isFiniteSum(values);
    if (!isSkipped) this.weights = updated(this.weights, step, values);
    this.isTainted ||= from.isTainted;
    this.sum = { step, values, ids, isTainted: from.isTainted };
    this.step = step + 1;
    this.#consume(this.consumption, ids, { step, isRedone: from.isRedone });
    const { epoch } = stepShare(this.#ledger, step);
    if (stepShare(this.#ledger, step + 1).epoch > epoch) this.consumption.endEpoch();
    const { total, inARow } = this.skips;
    this.skips = isSkipped ? { total: total + 1, inARow: inARow + 1 } : { total, inARow: 0 };
    return isSkipped;
  }

  /** A copy. */
  state(): ReplicaState {
    const { stage, weights, step, skips, isTainted, consumption } = this;
    const consumed = { seen: consumption.seen.slice(), totals: consumption.totals };
    return { stage, weights, step, skips, isTainted, consumed };
  }

  take({ weights, step, skips, isTainted, consumed }: ReplicaState): void {
    this.sum = null;
    this.weights = weights;
    this.step = step;
    this.skips = skips;
    this.isTainted = isTainted;
    this.consumption = new Consumption(consumed.seen.length, consumed);
  }
}
