/** The stages of a job, their order and their lengths. */
import type { Job } from "./job.ts";
import type { OptimizerSpec, ScheduleSpec, ViewSpec } from "./jobparts.ts";
import type { TeacherSpec } from "./jobteacher.ts";

export const stages = ["teach", "distil", "baseline"] as const;
export type Stage = (typeof stages)[number];

/** A stage, settled: what is trained, how and for how long. */
export interface StagePlan {
  readonly stage: Stage;
  /** The model whose weights the stage trains. */
  readonly model: "teacher" | "student";
  readonly spec: TeacherSpec;
  /** Optimizer updates; 0 where the teacher is loaded and only evaluated. */
  readonly steps: number;
  readonly stepsPerEpoch: number;
  readonly training: {
    readonly optimizer: OptimizerSpec;
    readonly schedule: ScheduleSpec;
    readonly views: ViewSpec;
  } | null;
  /** Set where soft targets are used. */
  readonly soft: { readonly temperature: number; readonly softWeight: number } | null;
}

/** Steps of one epoch: the last may be smaller, none is dropped (L2). */
export function stepsPerEpoch(job: Job, trainExamples: number): number {
  return Math.ceil(trainExamples / (job.lanes.count * job.lanes.batch));
}

/** The stages of the job in order, for a training split of `trainExamples`. */
export function planStages(job: Job, trainExamples: number): readonly StagePlan[] {
  const perEpoch = stepsPerEpoch(job, trainExamples);
  const length = (budget: { epochs?: number | undefined; steps?: number | undefined }) =>
    budget.steps ?? (budget.epochs ?? 0) * perEpoch;
  const teach: StagePlan = {
    stage: "teach",
    model: "teacher",
    spec: job.teacher,
    steps: job.teach ? length(job.teach) : 0,
    stepsPerEpoch: perEpoch,
    training: job.teach ?? null,
    soft: null,
  };
  const distil: StagePlan = {
    stage: "distil",
    model: "student",
    spec: job.student,
    steps: length(job.distil),
    stepsPerEpoch: perEpoch,
    training: job.distil,
    soft: { temperature: job.distil.temperature, softWeight: job.distil.softWeight },
  };
  // Same student, seed and budget; what it lacks is the teacher.
  const baseline: StagePlan = { ...distil, stage: "baseline", soft: null };
  return job.baseline ? [teach, distil, baseline] : [teach, distil];
}
