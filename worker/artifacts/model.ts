/** A model as it is saved and loaded: an architecture and its weights, free of any tensor. */
import type { Layout } from "../../core/layout.ts";

export interface ModelArtifact {
  /** What `tf.LayersModel.toJSON` gives: the Keras-style topology. */
  readonly topology: unknown;
  readonly layout: Layout;
  /** Names and shapes in the model's own order (model.getWeights()). */
  readonly order: readonly string[];
  /** Flat weights in the layout. */
  readonly weights: Float32Array;
}
