/** Seeded draws: the same words give the same input, in every process and on every machine. */
import { hash32, randomStream } from "../../core/random.ts";

export class Draw {
  readonly #next: () => number;

  constructor(...words: readonly number[]) {
    this.#next = randomStream(...words);
  }

  /** A whole number from 0, below `bound`. */
  below(bound: number): number {
    return Math.floor(this.#next() * bound);
  }

  chance(share: number): boolean {
    return this.#next() < share;
  }

  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)]!;
  }

  bytes(length: number): Buffer {
    return Buffer.from(Array.from({ length }, () => this.below(256)));
  }
}

/** A word for a name, to seed draws with. */
export function wordOf(name: string): number {
  return hash32(...Buffer.from(name));
}
