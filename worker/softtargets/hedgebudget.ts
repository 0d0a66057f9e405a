/** Hedges are for the odd late answer: where all are late, more requests would make them later. */

/** One for so many answers. */
const perAnswer = 0.1;
const first = 3;
const most = 10;

export class HedgeBudget {
  #left = first;

  get isLeft(): boolean {
    return this.#left >= 1;
  }

  spend(): void {
    this.#left -= 1;
  }

  /** An answer has come. */
  earn(): void {
    this.#left = Math.min(most, this.#left + perAnswer);
  }
}
