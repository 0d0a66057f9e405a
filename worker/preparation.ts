/** What a worker does once, before it can work: the engine is loaded, the dataset opened. */
import { LimbeckError } from "../core/errors.ts";
import type { Job } from "../core/job.ts";
import { resultDeciding } from "../core/jobdigest.ts";
import type { Prepared } from "../proto/gen/limbeck/v1/Prepared.ts";
import type { Welcome__Output } from "../proto/gen/limbeck/v1/Welcome.ts";
import { Device } from "./compute/device.ts";
import type { Status, WorkerContext } from "./context.ts";
import { openDataset } from "./data/open.ts";
import { engineEnvironment } from "./engine/environment.ts";
import { ensureEngine } from "./engine/install.ts";
import type { Services } from "./services.ts";

export interface Preparation {
  readonly context: WorkerContext;
  /** What it found, for the coordinator. */
  readonly prepared: Prepared;
}

/** @param device given out before the first wait, so that it can be closed whatever comes of this */
export async function prepareWorker(
  { job: json, jobFolder, runFolder }: Welcome__Output,
  own: { readonly name: string; readonly services: Services; readonly status: Status; readonly device: Device },
): Promise<Preparation> {
  const job = JSON.parse(json) as Job; // Checked by the coordinator, whose build is ours.
  own.status.doing = "loading the engine and the dataset";
  // `limbeck run` has set it up already; on a machine of its own the worker does.
  await ensureEngine(job.engine, { log: (line) => process.stderr.write(`${line}\n`) });
  const [engine, dataset] = await Promise.all([
    own.device.ask("open", { choice: job.engine, threads: job.threads }),
    openDataset(job, jobFolder),
  ]);
  const shape = [...dataset.shape];
  const { classes, digest, classNames } = dataset;
  const examples = { trainExamples: dataset.count("train"), evaluationExamples: dataset.count(job.evaluation.split) };
  return {
    context: { job, jobFolder, runFolder, ...own, dataset, trained: new Map() },
    prepared: {
      engine: { ...engine, tensorflowVersion: engine.tensorflowVersion ?? "" },
      dataset: { ...examples, classes, shape, digest, classNames: [...classNames] },
    },
  };
}

/** A compute thread for the job, whose library reads the environment as it loads, which is in that thread, later. */
export function openDevice({ job }: Welcome__Output): Device {
  Object.assign(process.env, engineEnvironment((JSON.parse(job) as Job).threads));
  return new Device();
}

/** A coordinator that is back may have other intervals and folders. Throws `unavailable` where it runs another job. */
export function adopt(context: WorkerContext, { job: json, jobFolder, runFolder }: Welcome__Output): void {
  const job = JSON.parse(json) as Job;
  if (JSON.stringify(resultDeciding(job)) !== JSON.stringify(resultDeciding(context.job))) {
    throw new LimbeckError("unavailable", `the coordinator now runs another job, ${job.name}: start the worker anew`);
  }
  Object.assign(context, { job, jobFolder, runFolder });
}
