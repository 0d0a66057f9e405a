/** Evaluation in fixed chunks, dealt over the students: the same chunk has the same bits wherever it is computed (L1). */
import { sizeOf } from "../core/layout.ts";
import { Arena } from "./arena.ts";
import type { Device } from "./compute/device.ts";
import type { NetworkName } from "./compute/protocol.ts";
import type { Dataset, Split } from "./data/dataset.ts";
import { type BatchEvaluation, evaluateBatch } from "./learn/evaluation.ts";

export interface EvaluationPlan {
  readonly device: Pick<Device, "ask">;
  readonly network: NetworkName;
  readonly dataset: Dataset;
  readonly split: Split;
  /** Examples per chunk; the last chunk may be smaller. */
  readonly batch: number;
}

export interface ChunkEvaluation extends BatchEvaluation {
  readonly chunk: number;
  readonly examples: number;
}

export function chunkCount({ dataset, split, batch }: EvaluationPlan): number {
  return Math.ceil(dataset.count(split) / batch);
}

/** Evaluates chunks first, first + stride, … in inference mode. */
export async function* evaluateChunks(
  plan: EvaluationPlan,
  share: { first: number; stride: number },
  signal: AbortSignal,
): AsyncGenerator<ChunkEvaluation> {
  const { device, network, dataset, split, batch } = plan;
  const features = sizeOf(dataset.shape);
  const total = dataset.count(split);
  // Shared and aligned: neither cloned on its way to the compute thread nor copied by TensorFlow.
  const inputs = Arena.create(4 * batch * features).floats(batch * features);
  for (let chunk = share.first; chunk < chunkCount(plan); chunk += share.stride) {
    signal.throwIfAborted();
    const from = chunk * batch;
    const ids = Uint32Array.from({ length: Math.min(batch, total - from) }, (_, index) => from + index);
    const labels = new Int32Array(ids.length);
    dataset.examples(split, ids, null, inputs);
    dataset.labels(split, ids, labels);
    const logits = await device.ask("logits", { name: network, inputs, count: ids.length });
    yield { chunk, examples: ids.length, ...evaluateBatch(logits, labels, dataset.classes) };
  }
}
