/** What a worker has once it is prepared, for all it does afterwards. */
import { isPlain, viewPeriod } from "../core/caching.ts";
import type { Job } from "../core/job.ts";
import type { Stage } from "../core/stages.ts";
import type { Log } from "../proto/telemetry/log.ts";
import type { Device } from "./compute/device.ts";
import type { BuiltNetwork } from "./compute/protocol.ts";
import type { Dataset, Split, ViewKey } from "./data/dataset.ts";
import type { ModelRequest } from "./inference/open.ts";
import type { WorkerMetrics } from "./metrics.ts";
import type { Services } from "./services.ts";

/** What the worker does and waits for, in words; every heartbeat carries it (L7). */
export interface Status {
  doing: string;
  /** Empty where it waits for nothing. */
  waitingFor: () => string;
  step: number;
  /** It waits for soft targets, and no teacher of its term is left. */
  needsTeacher: () => boolean;
  /** Soft targets it has computed since its process began, and how long that took: by that it is placed. */
  serving: () => { readonly servedExamples: number; readonly servingSeconds: number };
}

export const nothing = (): string => "";

/** Says whom the work waits for while it lasts (L7). @param whom empty where it waits for nobody */
export async function awaiting<T>(status: Status, whom: string, work: Promise<T>): Promise<T> {
  if (whom === "") return await work;
  status.waitingFor = () => whom;
  try {
    return await work;
  } finally {
    status.waitingFor = nothing;
  }
}

export function newStatus(doing: string): Status {
  const serving = () => ({ servedExamples: 0, servingSeconds: 0 });
  return { doing, waitingFor: nothing, step: 0, needsTeacher: () => false, serving };
}

/** The trained weights of a stage that is over. */
export interface TrainedModel extends BuiltNetwork {
  readonly sha256: string;
}

export interface WorkerContext {
  /** The three of the last Welcome: what does not decide the result may differ in a job that is resumed. */
  job: Job;
  jobFolder: string;
  runFolder: string;
  readonly name: string;
  readonly dataset: Dataset;
  readonly device: Device;
  readonly services: Services;
  readonly status: Status;
  readonly metrics: WorkerMetrics;
  readonly log: Log;
  /** What the stages of this run have given so far. */
  readonly trained: Map<Stage, TrainedModel>;
}

/** What every worker of the job builds the model of this role from: equal requests give equal bits (L1). */
export function modelRequest(
  { job, jobFolder, dataset }: Pick<WorkerContext, "job" | "jobFolder" | "dataset">,
  role: "teacher" | "student",
): ModelRequest {
  const { seed, distil } = job;
  const { shape: inputShape, classes } = dataset;
  return { spec: job[role], inputShape, classes, seed, jobFolder, role, temperature: distil.temperature };
}

/** The split models are evaluated on. */
export function evaluationSplit(job: Job): Split {
  return job.evaluation.split;
}

/**
 * The view of an epoch's examples in a stage; null for plain ones. The same for student and teacher (L6). Of views that
 * come again its `epoch` is the first that had them.
 */
export function viewOfEpoch(job: Job, stage: Stage, epoch: number): ViewKey | null {
  const spec = (stage === "teach" ? job.teach : job.distil)?.views;
  return spec && !isPlain(spec) ? { spec, seed: job.seed, epoch: epoch % viewPeriod(spec) } : null;
}
