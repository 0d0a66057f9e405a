/** One who means well: asks all the while, and notes how long each answer took; and how large the processes become. */
import { setTimeout as sleep } from "node:timers/promises";
import { percentiles } from "../../chaos/measure.ts";
import type { Processes } from "./processes.ts";

export interface Witnessed {
  readonly answered: number;
  readonly unanswered: readonly string[];
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** By process: megabytes before the attack, and at most. */
  readonly memory: Readonly<Record<string, readonly [before: number, most: number]>>;
}

const everyMs = 250;
/** Far more than a call takes where other work has the processors, and far less than a hang. */
export const patienceMs = 20_000;

/** @param asks each a call that somebody who means well would make, by name */
export class Witness {
  readonly #asks: Readonly<Record<string, () => Promise<unknown>>>;
  readonly #processes: Processes;
  readonly #tookMs: number[] = [];
  readonly #unanswered: string[] = [];
  readonly #memory = new Map<string, [before: number, most: number]>();
  #isOver = false;
  readonly #watching: Promise<unknown>;

  constructor(processes: Processes, asks: Readonly<Record<string, () => Promise<unknown>>>) {
    this.#processes = processes;
    this.#asks = asks;
    this.#look();
    this.#watching = Promise.all([...Object.keys(asks).map((name) => this.#ask(name)), this.#watch()]);
  }

  async end(): Promise<Witnessed> {
    this.#isOver = true;
    await this.#watching;
    const { count, p50, p99 } = percentiles(this.#tookMs) ?? { count: 0, p50: 0, p99: 0 };
    return {
      answered: count,
      unanswered: this.#unanswered,
      ...{ p50Ms: p50, p99Ms: p99, maxMs: Math.round(Math.max(0, ...this.#tookMs)) },
      memory: Object.fromEntries(this.#memory),
    };
  }

  async #ask(name: string): Promise<void> {
    while (!this.#isOver) {
      const startedMs = performance.now();
      const late = sleep(patienceMs, "late" as const, { ref: false });
      const answer = await Promise.race([this.#asks[name]!().catch((thrown: Error) => thrown), late]);
      if (answer === "late") this.#unanswered.push(`${name} was not answered in ${patienceMs / 1_000} s`);
      else if (answer instanceof Error) this.#unanswered.push(`${name}: ${answer.message}`);
      else this.#tookMs.push(performance.now() - startedMs);
      await sleep(everyMs);
    }
  }

  async #watch(): Promise<void> {
    while (!this.#isOver) {
      await sleep(2 * everyMs);
      this.#look();
    }
  }

  #look(): void {
    for (const [name, megabytes] of Object.entries(this.#processes.megabytes())) {
      const [before, most] = this.#memory.get(name) ?? [megabytes, megabytes];
      this.#memory.set(name, [before, Math.max(most, megabytes)]);
    }
  }
}
