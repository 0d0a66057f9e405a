/** THE loop: one step is batch, gradients of the lanes, all-reduce, update, report; every so often an evaluation and a checkpoint. */

import { stepShare } from "../core/ledger.ts";
import { learningRate } from "../core/schedule.ts";
import type { Batches } from "./batches.ts";
import type { Device } from "./compute/device.ts";
import type { GradientsRequest } from "./compute/protocol.ts";
import type { Exchange } from "./exchange/exchange.ts";
import type { Replica } from "./replica.ts";
import type { StepReport } from "./stepreport.ts";
import { metricsOf } from "./workspace.ts";

export interface Training {
  readonly replica: Replica;
  readonly device: Device;
  readonly batches: Batches;
  readonly exchange: Exchange;
  /** The all-reduced gradient vector, in shared memory. */
  readonly sum: Float32Array;
  /** What every gradient request of this term has in common. */
  readonly request: Omit<GradientsRequest, "step" | "lanes">;
  readonly report: StepReport;
  /** After every update: checkpoints and evaluations that are due. */
  afterStep(): Promise<void>;
}

/** Trains the replica from its step to the end of its stage. */
export async function train(training: Training, signal: AbortSignal): Promise<void> {
  const { replica, device, batches, exchange, report, sum } = training;
  const { steps, stepsPerEpoch, training: recipe } = replica.plan;
  while (replica.step < steps) {
    signal.throwIfAborted();
    const step = replica.step;
    const batch = await report.timed("softTargets", () => batches.take(step));
    const gradients = { ...training.request, step, lanes: batch.parts };
    await report.timed("compute", () =>
      Promise.all([device.ask("gradients", gradients), report.timed("data", async () => batches.makeAhead())]),
    );
    batches.release(step);
    const { consumed } = await report.timed("exchange", () => exchange.allReduce(step, batch.examples, signal));
    const rate = learningRate(recipe!.schedule, recipe!.optimizer.learningRate, { step, steps, stepsPerEpoch });
    const update = { examples: batch.globalExamples, step: step + 1, learningRate: rate };
    await report.timed("apply", () => device.ask("apply", update));
    replica.step = step + 1;
    for (const ids of consumed) replica.consumption.consume(ids);
    if (endsEpoch(replica, step)) replica.consumption.endEpoch();
    report.stepped({
      step: replica.step,
      own: batch.examples.length,
      metrics: metricsOf(sum),
      learningRate: rate,
    });
    await training.afterStep();
  }
}

function endsEpoch({ ledger }: Replica, step: number): boolean {
  return stepShare(ledger, step + 1).epoch > stepShare(ledger, step).epoch;
}
