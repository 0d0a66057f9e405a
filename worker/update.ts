/** A step's sum becomes an update. Training, catching up and following come through here, so their bits are equal (L1). */
import { stepShare } from "../core/ledger.ts";
import { learningRate } from "../core/schedule.ts";
import type { Device } from "./compute/device.ts";
import type { Replica } from "./replica.ts";

export interface Updated {
  readonly learningRate: number;
  /** L2, of the mean gradient before clipping; null where the sum was not finite: the weights are as they were. */
  readonly gradientNorm: number | null;
}

/**
 * Applies `replica.sum`, the sum of the replica's own step, or skips the step where it is not finite. Its examples count
 * as consumed either way: each had its turn (L2).
 * @param examples ids of the whole step, in lane order
 */
export async function update(replica: Replica, device: Device, examples: Uint32Array): Promise<Updated> {
  const { plan, ledger, step, consumption, skips } = replica;
  const { steps, stepsPerEpoch, training } = plan;
  const rate = learningRate(training!.schedule, training!.optimizer.learningRate, { step, steps, stepsPerEpoch });
  const share = stepShare(ledger, step);
  const applied = await device.ask("apply", { examples: share.examples, step: step + 1, learningRate: rate });
  replica.step = step + 1;
  replica.sumStep = step;
  replica.sumExamples = examples;
  consumption.consume(examples);
  if (stepShare(ledger, step + 1).epoch > share.epoch) consumption.endEpoch();
  if (applied === null) skips.total += 1;
  skips.inARow = applied === null ? skips.inARow + 1 : 0;
  return { learningRate: rate, gradientNorm: applied?.gradientNorm ?? null };
}
