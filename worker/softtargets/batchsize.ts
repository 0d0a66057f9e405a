/**
 * How many examples a merged forward pass is to have: as few as are enough to be fast. Found by measuring, for it depends on the
 * model and the device: the size doubles while that makes an example clearly cheaper, and goes back where it does not.
 */

/** What a doubling must save of an example's time. */
const worthwhile = 0.95;
/** Weight of the newest pass. */
const newest = 0.2;
/** Passes of a size before it is judged. */
const enough = 4;

interface Measured {
  readonly seconds: number;
  readonly passes: number;
}

export class BatchSize {
  readonly #most: number;
  /** Seconds an example takes in passes of up to so many, by powers of two. */
  readonly #measured = new Map<number, Measured>();
  #target: number;

  /** @param first examples to begin with @param most examples a pass can hold */
  constructor(first: number, most: number) {
    this.#most = most;
    this.#target = Math.min(first, most);
  }

  get target(): number {
    return this.#target;
  }

  /** Half of what a pass of the target takes: what waiting for more to come with it may cost. */
  get patienceMs(): number {
    const { seconds = 0 } = this.#measured.get(bucket(this.#target)) ?? {};
    return (seconds * this.#target * 1_000) / 2;
  }

  /** A pass of so many examples took so long. */
  took(examples: number, seconds: number): void {
    if (examples === 0) return;
    const size = bucket(examples);
    const each = seconds / examples;
    const before = this.#measured.get(size);
    const mean = before ? before.seconds + newest * (each - before.seconds) : each;
    this.#measured.set(size, { seconds: mean, passes: (before?.passes ?? 0) + 1 });
    if (size === bucket(this.#target)) this.#judge(size);
  }

  #judge(size: number): void {
    const here = this.#measured.get(size)!;
    if (here.passes < enough) return;
    const smaller = this.#measured.get(size / 2);
    if (smaller && smaller.passes >= enough && here.seconds > worthwhile * smaller.seconds) {
      this.#target = Math.max(1, size / 2);
      return;
    }
    const larger = this.#measured.get(size * 2);
    const isPromising = !larger || larger.passes < enough || larger.seconds <= worthwhile * here.seconds;
    if (isPromising) this.#target = Math.min(this.#most, size * 2);
  }
}

/** The power of two at or above. */
function bucket(examples: number): number {
  return 2 ** Math.ceil(Math.log2(examples));
}
