/** The learning rate of a step. */
import type { ScheduleSpec } from "./jobparts.ts";

export interface SchedulePosition {
  /** 0-based, over the stage. */
  readonly step: number;
  /** Steps of the stage. */
  readonly steps: number;
  readonly stepsPerEpoch: number;
}

/**
 * @param peak the optimizer's learning rate
 * @returns the learning rate of the update that `position.step` makes; above 0 from the first step of a warm-up on
 */
export function learningRate(schedule: ScheduleSpec, peak: number, position: SchedulePosition): number {
  const warmUp = Math.min(1, (position.step + 1) / Math.max(1, schedule.warmupSteps));
  return peak * warmUp * decay(schedule, position);
}

/** In (0,1], or down to the floor of a cosine. */
function decay(schedule: ScheduleSpec, { step, steps, stepsPerEpoch }: SchedulePosition): number {
  switch (schedule.kind) {
    case "constant":
      return 1;
    case "step":
      return schedule.factor ** Math.floor(step / (schedule.everyEpochs * stepsPerEpoch));
    case "cosine": {
      // SGDR (Loshchilov and Hutter 2017), equation 5, one period, from the end of the warm-up to the last step.
      const span = Math.max(1, steps - 1 - schedule.warmupSteps);
      const progress = Math.min(1, Math.max(0, step - schedule.warmupSteps) / span);
      return schedule.floor + (1 - schedule.floor) * 0.5 * (1 + Math.cos(Math.PI * progress));
    }
  }
}
