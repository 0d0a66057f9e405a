/** The seam between what Limbeck computes and what computes it. */
import type * as tfjs from "@tensorflow/tfjs";

export type TF = typeof tfjs;

/** What tfjs-node has beyond tfjs: TensorFlow's own models. */
export interface SavedModels {
  getMetaGraphsFromSavedModel(path: string): Promise<tfjs.MetaGraph[]>;
  loadSavedModel(
    path: string,
    tags: readonly string[],
    signature: string,
  ): Promise<tfjs.InferenceModel & { dispose(): void }>;
}

/** What a job or flag may ask for. */
export type EngineChoice = "auto" | "tensorflow" | "gpu" | "wasm";

export interface EngineInfo {
  readonly backend: "tensorflow" | "wasm";
  /** null on wasm. */
  readonly tensorflowVersion: string | null;
  /** The device that was really used, in words. */
  readonly device: string;
  readonly gpu: boolean;
  readonly threads: number;
  /** Why this engine and not another. */
  readonly why: string;
  /** Equal fingerprints compute equal bits: backend, versions, device kind, CPU instruction set, threads. */
  readonly fingerprint: string;
}

/** An engine that is up in this thread. Exactly one per process, in its compute thread. */
export interface Engine {
  readonly tf: TF;
  readonly info: EngineInfo;
  readonly ops: Ops;
  /** null on wasm. */
  readonly savedModels: SavedModels | null;
}

export interface DenseLayer {
  /** [inputs, units] */
  readonly kernel: tfjs.Tensor2D;
  /** [units] */
  readonly bias: tfjs.Tensor1D | null;
  readonly activation: "linear" | "relu";
}

/** Ops that tfjs has only as slow composites, or not seeded. The caller owns every tensor returned. */
export interface Ops {
  /**
   * Softmax cross-entropy against a distribution, fused.
   * @param logits [rows, classes]
   * @param targets [rows, classes], rows sum to 1
   * @returns loss [rows] in nats, and the gradient of its sum by the logits [rows, classes]
   */
  softmaxCrossEntropy(logits: tfjs.Tensor2D, targets: tfjs.Tensor2D): { loss: tfjs.Tensor1D; gradient: tfjs.Tensor2D };

  /** Uniform in [0,1), float32, a pure function of shape and seed (two uint32). */
  uniform(shape: readonly number[], seed: readonly [number, number]): tfjs.Tensor;

  /**
   * activation(x · kernel + bias), differentiable by tf.grads. null where tfjs's own is as good.
   * @param x [rows, inputs]
   * @returns [rows, units]
   */
  readonly dense: ((x: tfjs.Tensor2D, layer: DenseLayer) => tfjs.Tensor2D) | null;

  /**
   * Batch norm in training: normalises by the batch's own statistics over all axes but the last.
   * Differentiable by tf.grads (through tf.customGrad) in x, scale and offset.
   * @returns y like x; mean and (biased) variance of the batch [channels], both without gradient
   */
  batchNorm(
    x: tfjs.Tensor,
    scale: tfjs.Tensor1D,
    offset: tfjs.Tensor1D,
    epsilon: number,
  ): { y: tfjs.Tensor; mean: tfjs.Tensor1D; variance: tfjs.Tensor1D };

  /** True where `tf.add` on this backend rounds as the host's adder does, so lanes may be added on the device. */
  readonly addsOnDevice: boolean;
}
