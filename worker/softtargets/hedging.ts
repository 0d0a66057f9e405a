/** When a second teacher is asked, too: when the first is late, by the times that answers took so far, and not often. */
import { HedgeBudget } from "./hedgebudget.ts";
import { Latencies } from "./latency.ts";

/** The share of answers after which a request is late. */
const late = 0.95;
/** Before so many answers are measured, nobody knows what is late. */
const enough = 16;
const unknownLatencyMs = 1_000;

export class Hedging {
  readonly #latencies = new Latencies();
  readonly #budget = new HedgeBudget();

  /** How long answers take, at the share of them that is late; null before anything is known. */
  get latencyMs(): number | null {
    return this.#latencies.quantile(late);
  }

  /** Not before an answer is late, nor while the first has the time to give it before it is needed. */
  afterMs(spareMs: number): number {
    if (this.#latencies.count < enough) return Math.max(unknownLatencyMs, spareMs);
    return Math.max(this.#latencies.quantile(late)!, spareMs - this.#latencies.quantile(0.5)!);
  }

  get isLeft(): boolean {
    return this.#budget.isLeft;
  }

  /** A second teacher is asked. */
  spend(): void {
    this.#budget.spend();
  }

  /** An answer has come, and is used. */
  answered(tookMs: number): void {
    this.#latencies.add(tookMs);
    this.#budget.earn();
  }
}
