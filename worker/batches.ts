/**
 * Batches, made ahead of the steps that take them: the ledger's examples, their views, and the teacher's soft targets
 * for the same views. The compute thread never waits for what could have been there.
 */

import { type LedgerPlan, laneExamples, laneShare, stepShare } from "../core/ledger.ts";
import { regionOf } from "./arena.ts";
import type { LaneRegions } from "./compute/protocol.ts";
import type { Dataset, ViewKey } from "./data/dataset.ts";
import { writeInTurns } from "./data/inturns.ts";
import { joinedIds } from "./ids.ts";
import type { FetchAhead, StepExamples } from "./softtargets/fetchahead.ts";

/** Memory of one part of a batch: a lane, or all lanes of the worker where they are merged. */
export interface PartMemory {
  readonly inputs: Float32Array;
  readonly labels: Int32Array;
  /** null where the stage has no teacher. */
  readonly teacherLogits: Float32Array | null;
}

/** The lanes that are computed together, in one shape. */
export interface Part {
  readonly firstLane: number;
  readonly lanes: number;
}

export interface Batch {
  readonly step: number;
  readonly epoch: number;
  /** Of the global batch: what the sums are divided by. */
  readonly globalExamples: number;
  readonly parts: readonly LaneRegions[];
  /** Ids of the worker's own examples, in lane order. */
  readonly examples: Uint32Array;
}

export interface BatchSource {
  readonly ledger: LedgerPlan;
  readonly parts: readonly Part[];
  readonly dataset: Dataset;
  /** The view of an epoch, null for plain examples. */
  view(epoch: number): ViewKey | null;
  /** Where the teacher's logits come from, null where the stage has no teacher. */
  readonly softTargets: Pick<FetchAhead, "take"> | null;
  /** One entry per batch that may be in the making, each with the memory of all parts. */
  readonly slots: readonly (readonly PartMemory[])[];
}

interface Made {
  readonly batch: Batch;
  readonly slot: readonly PartMemory[];
  readonly complete: Promise<void>;
}

export class Batches {
  readonly #source: BatchSource;
  readonly #steps: number;
  readonly #free: (readonly PartMemory[])[];
  /** Under way or made, by step. */
  readonly #made = new Map<number, Promise<Made>>();
  #making: Promise<void>;
  #next: number;

  /** Batches for steps `from` … `steps` - 1. */
  constructor(source: BatchSource, range: { from: number; steps: number }) {
    this.#source = source;
    this.#steps = range.steps;
    this.#next = range.from;
    this.#free = [...source.slots];
    this.#making = this.#makeInTurns();
    this.#making.catch(() => {}); // Thrown by take().
  }

  /** Fills the free memory with the next batches and asks for their soft targets. Called while the compute thread works. */
  makeAhead(): Promise<void> {
    this.#making = this.#making.then(() => this.#makeInTurns());
    return this.#making;
  }

  async #makeInTurns(): Promise<void> {
    while (this.#next < this.#steps && this.#free.length > 0) {
      const step = this.#next++;
      const made = this.#make(step, this.#free.pop()!);
      this.#made.set(step, made);
      await made;
    }
  }

  /** Waits for the soft targets of the step's batch; fails as the teacher fails. */
  async take(step: number): Promise<Batch> {
    if (!this.#made.has(step)) await this.#making;
    const { batch, complete } = await this.#made.get(step)!;
    await complete;
    return batch;
  }

  /** The gradients of the step are done: its memory may hold a later batch. */
  async release(step: number): Promise<void> {
    const { slot } = await this.#made.get(step)!;
    this.#made.delete(step);
    this.#free.push(slot);
  }

  async #make(step: number, slot: readonly PartMemory[]): Promise<Made> {
    const { ledger, parts, dataset } = this.#source;
    const { examples: globalExamples } = stepShare(ledger, step);
    const { epoch, parts: ids } = stepExamples(this.#source, step);
    // The teacher works while the views are written.
    const logits = this.#source.softTargets?.take(step) ?? [];
    const complete = Promise.all(logits.map(async (each, at) => slot[at]!.teacherLogits!.set(await each))).then(
      () => {},
    );
    complete.catch(() => {}); // Reported by take(); a batch that is never taken fails nobody.
    const view = this.#source.view(epoch);
    const regions: LaneRegions[] = [];
    for (const [at, part] of parts.entries()) {
      const { inputs, labels, teacherLogits } = slot[at]!;
      const examples = ids[at]!;
      await writeInTurns(dataset, { examples, view }, inputs);
      dataset.labels("train", examples, labels);
      regions.push({
        lane: part.firstLane,
        examples: examples.length,
        inputs: regionOf(inputs),
        labels: regionOf(labels),
        teacherLogits: teacherLogits && regionOf(teacherLogits),
      });
    }
    const batch = { step, epoch, globalExamples, parts: regions, examples: joinedIds(ids) };
    return { batch, slot, complete };
  }
}

/** The examples of a step by part, and the epoch that decides their views. */
export function stepExamples({ ledger, parts }: Pick<BatchSource, "ledger" | "parts">, step: number): StepExamples {
  const { epoch } = stepShare(ledger, step);
  return { epoch, parts: parts.map((part) => partExamples(ledger, step, part)) };
}

function partExamples(ledger: LedgerPlan, step: number, { firstLane, lanes }: Part): Uint32Array {
  const perLane: Uint32Array[] = [];
  for (let lane = firstLane; lane < firstLane + lanes && laneShare(ledger, step, lane).examples > 0; lane++) {
    perLane.push(laneExamples(ledger, step, lane));
  }
  return joinedIds(perLane);
}
