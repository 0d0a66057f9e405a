/**
 * The shared memory of a student in one stage: the replica's vectors, which stay, and above them what depends on the
 * deal, laid out anew in every term: partial sums, batches in the making. It grows where a deal needs more, and no
 * further (L8).
 */

import type { Layout } from "../core/layout.ts";
import { metricCount } from "../core/layout.ts";
import type { TreeNode } from "../core/tree.ts";
import { Arena, floatsAt, type Region, regionOf } from "./arena.ts";
import type { Part, PartMemory } from "./batches.ts";
import type { ReplicaBinding } from "./compute/protocol.ts";
import type { ReplicaVectors } from "./replica.ts";

export interface DealPlan {
  readonly nodes: readonly TreeNode[];
  readonly parts: readonly Part[];
  readonly laneBatch: number;
  /** Floats of one example. */
  readonly features: number;
  readonly classes: number;
  readonly softTargets: boolean;
  /** Batches that may be in the making at once. */
  readonly slots: number;
  /** Gradient vectors the compute thread needs to add lanes on the host. */
  readonly scratchVectors: number;
  readonly exchangeFloats: number;
}

export interface DealMemory {
  readonly partials: readonly Float32Array[];
  readonly scratch: readonly Float32Array[];
  readonly exchangeScratch: Float32Array;
  readonly slots: readonly (readonly PartMemory[])[];
}

const alignmentFloats = 16;
const aligned = (floats: number) => Math.ceil(Math.max(floats, 1) / alignmentFloats) * alignmentFloats;

export class Workspace {
  readonly layout: Layout;
  readonly #arena: Arena;
  readonly #vectors: { readonly [name in keyof ReplicaVectors]: Region };
  /** Where the part that depends on the deal begins. */
  readonly #mark: number;

  /**
   * @param optimizerSlots floats of optimizer state per trainable float
   * @throws `bad_model` where it does not fit into the 4 GiB a WebAssembly memory can address
   */
  constructor(layout: Layout, optimizerSlots: number) {
    this.layout = layout;
    const stateFloats = optimizerSlots * layout.trainable;
    const floats = aligned(layout.weights) + aligned(stateFloats) + aligned(layout.gradient);
    this.#arena = Arena.create(4 * floats, "growing");
    this.#vectors = {
      weights: regionOf(this.#arena.floats(layout.weights)),
      optimizerState: regionOf(this.#arena.floats(stateFloats)),
      sum: regionOf(this.#arena.floats(layout.gradient)),
    };
    this.#mark = this.#arena.mark();
  }

  get memory(): WebAssembly.Memory {
    return this.#arena.memory;
  }

  /** Views of the replica's vectors; those of before `layOut` are of a buffer the kernels may no longer take. */
  vectors(): ReplicaVectors {
    const at = (region: Region) => floatsAt(this.memory, region);
    const { weights, optimizerState, sum } = this.#vectors;
    return { weights: at(weights), optimizerState: at(optimizerState), sum: at(sum) };
  }

  /** Memory for a deal, in place of that of the deal before, which nobody may use any more. */
  layOut(plan: DealPlan): DealMemory {
    const arena = this.#arena;
    const { gradient } = this.layout;
    arena.reserve(this.#mark, 4 * dealFloats(plan, gradient));
    const slot = () =>
      plan.parts.map(({ lanes }): PartMemory => {
        const examples = lanes * plan.laneBatch;
        return {
          inputs: arena.floats(examples * plan.features),
          labels: arena.ints(examples),
          teacherLogits: plan.softTargets ? arena.floats(examples * plan.classes) : null,
        };
      });
    return {
      partials: plan.nodes.map(() => arena.floats(gradient)),
      scratch: Array.from({ length: plan.scratchVectors }, () => arena.floats(gradient)),
      exchangeScratch: arena.floats(plan.exchangeFloats),
      slots: Array.from({ length: plan.slots }, slot),
    };
  }

  /** The workspace as the compute thread sees it. */
  binding(deal: DealMemory | null, optimizer: ReplicaBinding["optimizer"]): ReplicaBinding {
    const { weights, optimizerState, sum } = this.#vectors;
    return {
      memory: this.memory,
      weights,
      sum,
      state: optimizerState,
      partials: deal?.partials.map(regionOf) ?? [],
      scratch: deal?.scratch.map(regionOf) ?? [],
      optimizer,
    };
  }
}

function dealFloats(plan: DealPlan, gradient: number): number {
  const slotFloats = plan.parts.reduce((total, { lanes }) => {
    const examples = lanes * plan.laneBatch;
    const logits = plan.softTargets ? aligned(examples * plan.classes) : 0;
    return total + aligned(examples * plan.features) + aligned(examples) + logits;
  }, 0);
  const vectors = plan.nodes.length + plan.scratchVectors;
  return aligned(gradient) * vectors + aligned(plan.exchangeFloats) + slotFloats * plan.slots;
}

/** The metrics at the end of a gradient vector. */
export function metricsOf(gradient: Float32Array): Float32Array {
  return gradient.subarray(gradient.length - metricCount);
}
