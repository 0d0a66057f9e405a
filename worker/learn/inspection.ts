/** What of a batch is not finite, looked at lane by lane after a step was skipped. */
import { type LaneWork, laneGradient, type Trainee } from "./lane.ts";
import type { Objective } from "./loss.ts";

export interface LaneFinding {
  /** Of the first lane, where several are computed as one. */
  readonly lane: number;
  /** Positions in the batch of the examples whose own loss is not finite. */
  readonly examples: readonly number[];
  /** The gradient over the batch is not finite. */
  readonly gradient: boolean;
}

/** Computes the lane's gradient once more, by itself, and reads all of it back. */
export function inspectLane(
  trainee: Trainee,
  request: { readonly objective: Objective | null; readonly seed: number; readonly step: number },
  work: LaneWork,
): LaneFinding {
  const { objective, seed, step } = request;
  const { tensors, outcome } = laneGradient(trainee, objective, { seed, step, lane: work.lane }, work);
  const losses = [outcome?.hard, outcome?.soft].flatMap((loss) => (loss ? [loss.dataSync<"float32">()] : []));
  const examples = Array.from({ length: work.examples }, (_, at) => at).filter((at) =>
    losses.some((loss) => !Number.isFinite(loss[at]!)),
  );
  const gradient = tensors.some((tensor) => tensor?.dataSync<"float32">().some((value) => !Number.isFinite(value)));
  for (const tensor of [...tensors, outcome?.logits, outcome?.hard, outcome?.soft]) tensor?.dispose();
  return { lane: work.lane, examples, gradient };
}
