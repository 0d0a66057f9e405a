/**
 * What the main thread asks of the compute thread. Vectors and batches lie in one shared memory; messages carry only
 * where they lie. Requests are answered in order, one at a time.
 */

import type { ModelSpec, OptimizerSpec } from "../../core/jobparts.ts";
import type { Layout } from "../../core/layout.ts";
import type { TreeNode } from "../../core/tree.ts";
import type { Region } from "../arena.ts";
import type { EngineChoice, EngineInfo } from "../engine/engine.ts";

/** Networks are kept by name: the one a stage trains, or a teacher that serves. */
export type NetworkName = "trained" | "teacher" | "variant";

export interface BuildRequest {
  readonly name: NetworkName;
  readonly spec: ModelSpec;
  readonly inputShape: readonly number[];
  readonly classes: number;
  readonly seed: number;
  readonly jobFolder: string;
  /** For messages: "teacher" or "student". */
  readonly role: string;
}

export interface BuiltNetwork {
  readonly layout: Layout;
  /** Names of the weights in the model's own order. */
  readonly order: readonly string[];
  readonly topology: unknown;
  /** Weights as built or loaded, in the layout. */
  readonly weights: Float32Array;
}

/** Where the replica's vectors lie, and how they are updated. */
export interface ReplicaBinding {
  readonly memory: WebAssembly.Memory;
  readonly weights: Region;
  /** One gradient vector per subtree this worker holds, in the order of `nodes`. */
  readonly partials: readonly Region[];
  readonly sum: Region;
  /** Optimizer state; empty for plain SGD. */
  readonly state: Region;
  /** Gradient vectors for lanes that are added on the host. */
  readonly scratch: readonly Region[];
  readonly optimizer: OptimizerSpec | null;
}

export interface LaneRegions {
  readonly lane: number;
  readonly examples: number;
  readonly inputs: Region;
  readonly labels: Region;
  readonly teacherLogits: Region | null;
}

export interface GradientsRequest {
  readonly objective: { readonly temperature: number; readonly softWeight: number } | null;
  readonly seed: number;
  readonly step: number;
  readonly lanes: readonly LaneRegions[];
  /** One batch of all lanes (numerics fast) instead of one per lane. */
  readonly merged: boolean;
  readonly nodes: readonly TreeNode[];
  readonly leaves: number;
}

export interface ApplyRequest {
  readonly examples: number;
  /** 1-based number of the update. */
  readonly step: number;
  readonly learningRate: number;
}

export interface Requests {
  open: { ask: { choice: EngineChoice; threads: number }; answer: EngineInfo };
  build: { ask: BuildRequest; answer: BuiltNetwork };
  /** Forget a network and free its tensors. */
  drop: { ask: { name: NetworkName }; answer: null };
  bind: { ask: ReplicaBinding; answer: null };
  gradients: { ask: GradientsRequest; answer: null };
  apply: { ask: ApplyRequest; answer: { gradientNorm: number } };
  /** Use these weights from now on (a copy is taken). */
  load: { ask: { name: NetworkName; weights: Float32Array }; answer: null };
  /** Logits [count, classes] in inference mode. */
  logits: { ask: { name: NetworkName; inputs: Float32Array; count: number }; answer: Float32Array };
  /** Tensors and bytes the engine holds (L8). */
  memory: { ask: null; answer: { tensors: number; bytes: number } };
}

export type RequestKind = keyof Requests;
export type RequestMessage = {
  [K in RequestKind]: { readonly id: number; readonly kind: K; readonly ask: Requests[K]["ask"] };
}[RequestKind];
export type AnswerMessage =
  | { readonly id: number; readonly answer: unknown }
  | { readonly id: number; readonly code: string; readonly message: string };
