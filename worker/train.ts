/** THE loop: one step is batch, gradients of the lanes, all-reduce, update, report; every so often an evaluation and a checkpoint. */

import type { Batch, Batches } from "./batches.ts";
import type { Device } from "./compute/device.ts";
import type { GradientsRequest } from "./compute/protocol.ts";
import type { Ending } from "./ending.ts";
import type { Exchange } from "./exchange/exchange.ts";
import { joinedIds } from "./ids.ts";
import type { Replica } from "./replica.ts";
import type { StepReport } from "./stepreport.ts";
import { update } from "./update.ts";
import { metricsOf } from "./workspace.ts";

export interface Training {
  readonly replica: Replica;
  readonly device: Device;
  readonly batches: Batches;
  readonly exchange: Exchange;
  /** What every gradient request of this term has in common. */
  readonly request: Omit<GradientsRequest, "step" | "lanes">;
  readonly report: StepReport;
  /** The step's sum is not finite: the replica is as it was. */
  skipped(batch: Batch): Promise<void>;
  /** After every step: checkpoints and evaluations that are due. */
  afterStep(): Promise<void>;
}

/** Trains the replica from its step to the end of its stage, or until it is told to end. */
export async function train(training: Training, ending: Ending): Promise<void> {
  const { replica, device, batches, exchange, report } = training;
  while (replica.step < replica.plan.steps && !ending.soon.aborted) {
    const step = replica.step;
    const batch = await report.timed("softTargets", () => batches.take(step));
    const gradients = { ...training.request, step, lanes: batch.parts };
    await report.timed("compute", () =>
      Promise.all([device.ask("gradients", gradients), report.timed("data", () => batches.makeAhead())]),
    );
    const { consumed } = await report.timed("exchange", () => exchange.allReduce(step, batch.examples, ending.now));
    const updated = await report.timed("apply", () => update(replica, device, joinedIds(consumed)));
    const isSkipped = updated.gradientNorm === null;
    if (isSkipped) await training.skipped(batch);
    await batches.release(step);
    const metrics = isSkipped ? null : metricsOf(replica.sum);
    report.stepped({ step: replica.step, own: batch.examples.length, metrics, ...updated });
    await training.afterStep();
  }
}
