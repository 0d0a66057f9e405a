/** What a job needs of the disk, and whether keeping its soft targets there pays. */
import { recordBytes, viewPeriod } from "../caching.ts";
import type { Job } from "../job.ts";
import { planStages } from "../stages.ts";
import type { Calibration } from "./calibration.ts";
import { cachedStepSeconds, type Prediction } from "./prediction.ts";

export interface CacheEstimate {
  /** Epochs after which the views come again; null where every epoch has its own. */
  readonly period: number | null;
  /** 0 where nothing is kept. */
  readonly bytes: number;
  /** In this job alone; a second job with the same teacher asks it nothing. */
  readonly savedSeconds: number;
  readonly pays: boolean;
  readonly why: string;
}

export function cacheEstimate(job: Job, calibration: Calibration, prediction: Prediction): CacheEstimate {
  const period = viewPeriod(job.distil.views);
  if (period === Number.POSITIVE_INFINITY) {
    const why = "every epoch of distil has views of its own: no soft target is asked for twice";
    return { period: null, bytes: 0, savedSeconds: 0, pays: false, why };
  }
  const { trainExamples, classes } = calibration.dataset;
  const { steps, stepsPerEpoch } = planStages(job, trainExamples).find(({ stage }) => stage === "distil")!;
  const views = Math.min(period, Math.ceil(steps / stepsPerEpoch));
  const bytes = trainExamples * views * recordBytes({ format: job.softTargets.format, classes });
  const again = Math.max(0, steps - period * stepsPerEpoch);
  const { stepSeconds } = prediction.stages.find(({ stage }) => stage === "distil")!;
  const savedSeconds = again * Math.max(0, stepSeconds - cachedStepSeconds(job, calibration, prediction));
  const share = stepSeconds === 0 ? 0 : savedSeconds / (steps * stepSeconds);
  const pays = share > worthwhile;
  const why = pays
    ? `${again} of ${steps} steps of distil find their soft targets there, which saves ${(share * 100).toFixed(0)} % of its time`
    : again === 0
      ? `distil is over before its views come again, after ${period} epochs`
      : "the teachers are no bottleneck: a step with soft targets from the disk is as long";
  return { period, bytes, savedSeconds, pays, why };
}

/** Of the time of distil. */
const worthwhile = 0.02;

export interface DiskEstimate {
  readonly checkpointBytes: number;
  readonly exportBytes: number;
  readonly cacheBytes: number;
  readonly bytes: number;
}

export function diskEstimate(job: Job, calibration: Calibration, cache: CacheEstimate): DiskEstimate {
  const { weights, teach, student } = calibration;
  const { steps } = planStages(job, calibration.dataset.trainExamples).at(-1)!;
  const kept = (each: { state: number } | null, stages: number) =>
    each ? 4 * each.state * job.checkpoint.keep * stages : 0;
  const checkpointBytes = steps === 0 ? 0 : kept(teach, 1) + kept(student, job.baseline ? 2 : 1);
  // The teacher in float32; the student in float32, float16 and uint8.
  const exportBytes = 4 * weights.teacher + 7 * weights.student;
  return { checkpointBytes, exportBytes, cacheBytes: cache.bytes, bytes: checkpointBytes + exportBytes + cache.bytes };
}
