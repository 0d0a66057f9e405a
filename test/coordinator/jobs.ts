/** Jobs small enough to follow by hand: 16 training examples in steps of 8, two epochs, four examples to evaluate. */

import { standbyPatience, usualPatience } from "../../coordinator/patience.ts";
import type { Plan } from "../../coordinator/state.ts";
import { type Job, jobSchema } from "../../core/job.ts";

export const build = "1.0.0";

export interface JobChoices {
  readonly workers?: {
    readonly students: number | { readonly min: number; readonly max: number };
    readonly teachers: number;
    readonly roles?: "fixed" | "auto";
  };
  readonly baseline?: boolean;
  readonly numerics?: "exact" | "fast";
  /** The teacher is loaded, not taught. */
  readonly loads?: boolean;
  readonly epochs?: number;
  readonly inputs?: "ids" | "tensors";
  /** Members of an ensemble that is served apart; without it the teacher is one. */
  readonly apart?: number;
  readonly onNoTeacher?: "wait" | "fail";
}

export function testJob({
  workers,
  baseline = true,
  numerics = "exact",
  loads = false,
  epochs = 2,
  inputs = "ids",
  apart = 0,
  onNoTeacher = "wait",
}: JobChoices = {}): Job {
  const optimizer = { kind: "sgd", learningRate: 0.1 } as const;
  const model = { kind: "mlp", widths: [2] } as const;
  const members = Array.from({ length: apart }, (_, at) => ({ load: `m${at}` }));
  const ensemble = { ensemble: members, workers: "apart" };
  return jobSchema.parse({
    name: "story",
    numerics,
    dataset: { kind: "csv", path: ".", train: { examples: "a.csv" }, test: { examples: "b.csv" }, label: "label" },
    lanes: { count: 4, batch: 2 },
    teacher: apart > 0 ? ensemble : loads ? { load: "teacher" } : model,
    student: model,
    ...(loads || apart > 0 ? {} : { teach: { epochs, optimizer } }),
    distil: { temperature: 2, softWeight: 0.5, epochs, optimizer },
    baseline,
    softTargets: { inputs, onNoTeacher },
    ...(workers ? { workers } : {}),
  });
}

export function testPlan(job: Job): Plan {
  const patience = { ...usualPatience, ...standbyPatience, pauseMs: 3_600_000 };
  return {
    job,
    id: "",
    sources: [],
    jobFolder: "/job",
    runFolder: "/run",
    build,
    heartbeatMs: 250,
    patience,
    predicted: null,
  };
}
