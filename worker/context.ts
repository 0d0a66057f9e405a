/** What a worker has once it is prepared, for all it does afterwards. */
import { isPlain, viewPeriod } from "../core/caching.ts";
import { LimbeckError } from "../core/errors.ts";
import type { Job } from "../core/job.ts";
import type { Stage } from "../core/stages.ts";
import type { Log } from "../proto/telemetry/log.ts";
import type { Device } from "./compute/device.ts";
import type { BuiltNetwork } from "./compute/protocol.ts";
import type { Dataset, DatasetFacts, Split, ViewKey } from "./data/dataset.ts";
import type { WorkerDepot } from "./depot/workerdepot.ts";
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
  /** It waits for a server that a teacher asks, and that does not answer now. */
  isServerAway: () => boolean;
  /** Soft targets it has computed since its process began, how long that took (by that it is placed), and how many wait. */
  serving: () => { readonly servedExamples: number; readonly servingSeconds: number; readonly queuedExamples: number };
}

export const nothing = (): string => "";
export const no = (): boolean => false;

export function newStatus(doing: string): Status {
  const serving = () => ({ servedExamples: 0, servingSeconds: 0, queuedExamples: 0 });
  return { doing, waitingFor: nothing, step: 0, needsTeacher: no, isServerAway: no, serving };
}

/** The trained weights of a stage that is over. */
export interface TrainedModel extends BuiltNetwork {
  readonly sha256: string;
}

/** @typeParam Data `Dataset | null` where it need not be open, for its inputs are sent to a teacher */
export interface WorkerContext<Data extends Dataset | null = Dataset> {
  /** The three of the last Welcome: what does not decide the result may differ in a job that is resumed. */
  job: Job;
  jobFolder: string;
  runFolder: string;
  /** Where checkpoints and models go, the run folder being this worker's own; null where all share it. */
  readonly depot: WorkerDepot | null;
  readonly name: string;
  readonly dataset: Data;
  readonly device: Device;
  readonly services: Services;
  readonly status: Status;
  readonly metrics: WorkerMetrics;
  readonly log: Log;
  /** What the stages of this run have given so far. */
  readonly trained: Map<Stage, TrainedModel>;
}

/** For what cannot be done without the dataset. The coordinator makes no student of who has not opened it. */
export function withDataset(context: WorkerContext<Dataset | null>): WorkerContext {
  if (context.dataset !== null) return context as WorkerContext;
  throw new LimbeckError("internal", `${context.name} has not opened the dataset, and was told to train`);
}

/** What every worker of the job builds the model of this role from: equal requests give equal bits (L1). */
export function modelRequest(
  {
    job,
    jobFolder,
    dataset,
  }: Pick<WorkerContext, "job" | "jobFolder"> & { readonly dataset: Pick<DatasetFacts, "shape" | "classes"> },
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
