/** The shared memory of one term: vectors of the replica, partial sums, batches in the making. Sized once, never grown (L8). */

import type { Layout } from "../core/layout.ts";
import { metricCount } from "../core/layout.ts";
import type { TreeNode } from "../core/tree.ts";
import { Arena, regionOf } from "./arena.ts";
import type { Part, PartMemory } from "./batches.ts";
import type { ReplicaBinding } from "./compute/protocol.ts";

export interface WorkspacePlan {
  readonly layout: Layout;
  /** Floats of optimizer state per trainable float. */
  readonly optimizerSlots: number;
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

export interface Workspace {
  readonly arena: Arena;
  readonly weights: Float32Array;
  readonly optimizerState: Float32Array;
  readonly partials: readonly Float32Array[];
  readonly sum: Float32Array;
  readonly scratch: readonly Float32Array[];
  readonly exchangeScratch: Float32Array;
  readonly slots: readonly (readonly PartMemory[])[];
}

const alignmentFloats = 16;
const aligned = (floats: number) => Math.ceil(Math.max(floats, 1) / alignmentFloats) * alignmentFloats;

/** Throws `bad_model` where it does not fit into the 4 GiB a WebAssembly memory can address. */
export function allocateWorkspace(plan: WorkspacePlan): Workspace {
  const { layout, parts, laneBatch } = plan;
  const vector = aligned(layout.gradient);
  const partFloats = parts.map((part) => {
    const examples = part.lanes * laneBatch;
    return (
      aligned(examples * plan.features) + aligned(examples) + (plan.softTargets ? aligned(examples * plan.classes) : 0)
    );
  });
  const slotFloats = partFloats.reduce((total, floats) => total + floats, 0);
  const stateFloats = plan.optimizerSlots * layout.trainable;
  const floats =
    aligned(layout.weights) +
    aligned(stateFloats) +
    vector * (plan.nodes.length + 1 + plan.scratchVectors) +
    aligned(plan.exchangeFloats) +
    slotFloats * plan.slots;
  const arena = Arena.create(4 * floats);
  const slot = () =>
    parts.map(({ lanes }): PartMemory => {
      const examples = lanes * laneBatch;
      return {
        inputs: arena.floats(examples * plan.features),
        labels: arena.ints(examples),
        teacherLogits: plan.softTargets ? arena.floats(examples * plan.classes) : null,
      };
    });
  return {
    arena,
    weights: arena.floats(layout.weights),
    optimizerState: arena.floats(stateFloats),
    partials: plan.nodes.map(() => arena.floats(layout.gradient)),
    sum: arena.floats(layout.gradient),
    scratch: Array.from({ length: plan.scratchVectors }, () => arena.floats(layout.gradient)),
    exchangeScratch: arena.floats(plan.exchangeFloats),
    slots: Array.from({ length: plan.slots }, slot),
  };
}

/** The workspace as the compute thread sees it. */
export function bindingOf(workspace: Workspace, optimizer: ReplicaBinding["optimizer"]): ReplicaBinding {
  return {
    memory: workspace.arena.memory,
    weights: regionOf(workspace.weights),
    partials: workspace.partials.map(regionOf),
    sum: regionOf(workspace.sum),
    state: regionOf(workspace.optimizerState),
    scratch: workspace.scratch.map(regionOf),
    optimizer,
  };
}

/** The metrics at the end of a gradient vector. */
export function metricsOf(gradient: Float32Array): Float32Array {
  return gradient.subarray(gradient.length - metricCount);
}
