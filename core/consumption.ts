/** Counts which examples were really consumed, not which were planned, so that L2 is measured and not assumed. */
import { type LedgerPlan, laneExamples, stepShare } from "./ledger.ts";

export interface ConsumptionTotals {
  readonly examplesPerEpoch: number;
  /** Epochs that ended. */
  readonly epochs: number;
  /** Examples consumed at least once, summed over epochs, the unfinished one included. */
  readonly seen: number;
  /** Consumptions beyond the first of an example in an epoch. */
  readonly duplicated: number;
  /** Examples of ended epochs that were never consumed in them. */
  readonly missing: number;
}

/** What a checkpoint keeps. */
export interface ConsumptionState {
  /** How often each example was consumed in the epoch in progress; 255 stands for 255 or more. */
  readonly seen: Uint8Array;
  readonly totals: ConsumptionTotals;
}

export class Consumption implements ConsumptionState {
  readonly seen: Uint8Array;
  #epochs: number;
  #distinct: number;
  #duplicated: number;
  #missing: number;

  /** @param restored from a checkpoint; copied */
  constructor(examplesPerEpoch: number, restored?: ConsumptionState) {
    this.seen = restored ? restored.seen.slice() : new Uint8Array(examplesPerEpoch);
    this.#epochs = restored?.totals.epochs ?? 0;
    this.#distinct = restored?.totals.seen ?? 0;
    this.#duplicated = restored?.totals.duplicated ?? 0;
    this.#missing = restored?.totals.missing ?? 0;
  }

  /** Example ids whose gradient went into an update that was applied. */
  consume(ids: Uint32Array): void {
    for (const id of ids) {
      const before = this.seen[id]!;
      if (before === 0) this.#distinct += 1;
      else this.#duplicated += 1;
      if (before < 255) this.seen[id] = before + 1;
    }
  }

  /** The last step of the epoch was applied. */
  endEpoch(): void {
    for (const count of this.seen) if (count === 0) this.#missing += 1;
    this.#epochs += 1;
    this.seen.fill(0);
  }

  get totals(): ConsumptionTotals {
    return {
      examplesPerEpoch: this.seen.length,
      epochs: this.#epochs,
      seen: this.#distinct,
      duplicated: this.#duplicated,
      missing: this.#missing,
    };
  }

  /**
   * The totals of a stage that ends after `steps` steps, in the middle of an epoch or not. Of an unfinished epoch only
   * the examples are missing that the ledger dealt to its steps; those that the budget did not reach are not.
   */
  totalsAfter(steps: number, plan: LedgerPlan): ConsumptionTotals {
    let missing = this.#missing;
    const { epoch } = stepShare(plan, steps);
    for (let step = steps - 1; step >= 0 && stepShare(plan, step).epoch === epoch; step--) {
      for (let lane = 0; lane < plan.lanes; lane++) {
        for (const id of laneExamples(plan, step, lane)) if (this.seen[id] === 0) missing += 1;
      }
    }
    return { ...this.totals, missing };
  }
}
