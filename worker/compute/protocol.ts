/**
 * What the main thread asks of the compute thread. Vectors and batches lie in one shared memory; messages carry only
 * where they lie. Requests are answered in order, one at a time.
 */

import type { SoftTermFigures } from "../../core/doctor/softterm.ts";
import type { OptimizerSpec } from "../../core/jobparts.ts";
import type { Layout } from "../../core/layout.ts";
import type { Region } from "../arena.ts";
import type { EngineChoice, EngineInfo } from "../engine/engine.ts";
import type { ModelRequest } from "../inference/open.ts";
import type { GradientsRequest as NetworkGradients } from "../learn/gradients.ts";
import type { LaneFinding } from "../learn/inspection.ts";
import type { LaneWork } from "../learn/lane.ts";
import type { Objective } from "../learn/loss.ts";

/** Networks are kept by name: the one a stage trains, or a teacher that serves. */
export type NetworkName = "trained" | "teacher" | "variant";

export interface BuildRequest extends ModelRequest {
  readonly name: NetworkName;
}

export interface BuiltNetwork {
  readonly layout: Layout;
  /** Names of the weights in the model's own order. */
  readonly order: readonly string[];
  readonly topology: unknown;
  /** Weights as built or loaded, in the layout. */
  readonly weights: Float32Array;
  /** Of a model that is only asked: its digest, where there are no weights to have one. null for all others. */
  readonly givenSha256: string | null;
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

/** As the network takes it, the lanes by where they lie. */
export interface GradientsRequest extends Omit<NetworkGradients, "lanes" | "host"> {
  readonly lanes: readonly LaneRegions[];
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
  /** null where the sum is not finite: nothing has changed then. */
  apply: { ask: ApplyRequest; answer: { gradientNorm: number } | null };
  /** What of the lanes is not finite. */
  inspect: { ask: Omit<GradientsRequest, "merged" | "nodes" | "leaves">; answer: readonly LaneFinding[] };
  /** What the soft term is worth on a lane, by the named network's weights as they are. */
  softTerm: { ask: { name: NetworkName; objective: Objective; work: LaneWork }; answer: SoftTermFigures };
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
