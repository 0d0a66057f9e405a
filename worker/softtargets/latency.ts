/** The latest times that answers took, and what share of them took no longer. */

const kept = 128;

export class Latencies {
  readonly #times: number[] = [];
  #at = 0;

  get count(): number {
    return this.#times.length;
  }

  add(milliseconds: number): void {
    this.#times[this.#at] = milliseconds;
    this.#at = (this.#at + 1) % kept;
  }

  /** @param share in (0, 1]; null before anything was measured */
  quantile(share: number): number | null {
    if (this.#times.length === 0) return null;
    const sorted = Float64Array.from(this.#times).sort();
    return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)]!;
  }
}
