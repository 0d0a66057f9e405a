/** Which of the own examples made a step's gradient not finite. */
import type { Batch } from "./batches.ts";
import type { Device } from "./compute/device.ts";
import type { GradientsRequest } from "./compute/protocol.ts";

export interface FoundLane {
  /** The first, where several are computed as one. */
  readonly lane: number;
  /** Those whose own loss is not finite; all of the lane where only its gradient is not. */
  readonly examples: Uint32Array;
  readonly why: string;
}

/** Looks at the lanes of a batch whose memory is still as it was, with the weights as they were. */
export async function inspected(
  device: Device,
  batch: Batch,
  { objective, seed }: Pick<GradientsRequest, "objective" | "seed">,
): Promise<FoundLane[]> {
  const findings = await device.ask("inspect", { objective, seed, step: batch.step, lanes: batch.parts });
  let before = 0;
  return batch.parts.flatMap(({ lane, examples }, at) => {
    const own = batch.examples.subarray(before, before + examples);
    before += examples;
    const found = findings[at]!;
    if (found.examples.length > 0) {
      return [
        {
          lane,
          examples: Uint32Array.from(found.examples, (position) => own[position]!),
          why: "its loss is not finite",
        },
      ];
    }
    return found.gradient ? [{ lane, examples: own.slice(), why: "its gradient is not finite" }] : [];
  });
}
