/** What a worker has once it is prepared, for all it does afterwards. */
import { isPlain, viewPeriod } from "../core/caching.ts";
import type { Job } from "../core/job.ts";
import type { Stage } from "../core/stages.ts";
import type { Device } from "./compute/device.ts";
import type { BuiltNetwork } from "./compute/protocol.ts";
import type { Dataset, Split, ViewKey } from "./data/dataset.ts";
import type { Services } from "./services.ts";

/** What the worker does and waits for, in words; every heartbeat carries it (L7). */
export interface Status {
  doing: string;
  /** Empty where it waits for nothing. */
  waitingFor: () => string;
  step: number;
}

export const nothing = (): string => "";

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
  /** What the stages of this run have given so far. */
  readonly trained: Map<Stage, TrainedModel>;
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
