/** What a worker does once, before it can work: the engine is loaded, the dataset opened where it is needed. */
import { asLimbeckError, LimbeckError } from "../core/errors.ts";
import type { Job } from "../core/job.ts";
import { resultDeciding } from "../core/jobdigest.ts";
import type { Prepared } from "../proto/gen/limbeck/v1/Prepared.ts";
import type { Welcome__Output } from "../proto/gen/limbeck/v1/Welcome.ts";
import { Device } from "./compute/device.ts";
import type { WorkerContext } from "./context.ts";
import type { Dataset } from "./data/dataset.ts";
import { openDataset } from "./data/open.ts";
import { openScratch } from "./depot/scratch.ts";
import { openWorkerDepot } from "./depot/workerdepot.ts";
import { engineEnvironment } from "./engine/environment.ts";
import { ensureEngine } from "./engine/install.ts";
import { checkInputsFit } from "./softtargets/inputs.ts";
import { folderOf, writeSources } from "./sources.ts";

/** "auto": as the coordinator chooses. */
export type Role = "student" | "teacher" | "auto";

export interface Preparation {
  readonly context: WorkerContext<Dataset | null>;
  /** What it found, for the coordinator. */
  readonly prepared: Prepared;
}

interface Own extends Pick<WorkerContext, "name" | "services" | "status" | "metrics" | "log"> {
  /** As what it came. */
  readonly role: Role;
  readonly device: Device;
}

/** @param device given out before the first wait, so that it can be closed whatever comes of this */
export async function prepareWorker(
  {
    job: json,
    jobFolder: theirs,
    sources,
    runFolder: shared,
    role: given,
    depot: url,
    depotFolder: folder,
  }: Welcome__Output,
  { role, ...own }: Own,
): Promise<Preparation> {
  const job = JSON.parse(json) as Job; // Checked by the coordinator, whose build is ours.
  own.status.doing = needsDataset(job, role) ? "loading the engine and the dataset" : "loading the engine";
  await writeSources(sources);
  const jobFolder = folderOf({ jobFolder: theirs, sources });
  // `limbeck run` has set it up already; on a machine of its own the worker does.
  await ensureEngine(job.engine, { log: (line) => own.log.info(line) });
  const [engine, { dataset, why }] = await Promise.all([
    own.device.ask("open", { choice: job.engine, threads: job.threads }),
    datasetFor({ role, given }, job, jobFolder),
  ]);
  const depot = url === "" ? null : await openWorkerDepot({ url, folder, status: own.status });
  const runFolder = depot ? await openScratch(folder) : shared;
  own.metrics.prepared(own.name, engine);
  own.log.info({ event: "prepared", backend: engine.backend, device: engine.device }, engine.why);
  return {
    context: { job, jobFolder, runFolder, depot, ...own, dataset, trained: new Map() },
    prepared: {
      engine: { ...engine, tensorflowVersion: engine.tensorflowVersion ?? "" },
      ...(dataset && { dataset: described(dataset, job) }),
      noDataset: why,
    },
  };
}

function needsDataset({ softTargets }: Job, role: Role): boolean {
  return role !== "teacher" || softTargets.inputs === "ids";
}

/**
 * The dataset, or why it is not open. Whose role may change opens it where it can, so that it may train; else it serves.
 * @param given the role that the coordinator has for it now
 */
async function datasetFor(
  { role, given }: { readonly role: Role; readonly given: string },
  job: Job,
  jobFolder: string,
): Promise<{ readonly dataset: Dataset | null; readonly why: string }> {
  if (!needsDataset(job, role)) return { dataset: null, why: "teachers are sent their inputs" };
  try {
    const dataset = await openDataset(job, jobFolder);
    checkInputsFit(job, dataset.shape);
    return { dataset, why: "" };
  } catch (thrown) {
    const { code, message } = asLimbeckError(thrown);
    if (code !== "bad_data") throw thrown;
    if (job.softTargets.inputs === "tensors" && role === "auto") return { dataset: null, why: message };
    if (given !== "teacher") throw thrown;
    const hint = "with softTargets.inputs: tensors a teacher needs no dataset";
    throw new LimbeckError(code, `${message}; ${hint}`, { cause: thrown });
  }
}

function described(dataset: Dataset, { evaluation }: Job) {
  const { shape, classes, digest, classNames } = dataset;
  const examples = { trainExamples: dataset.count("train"), evaluationExamples: dataset.count(evaluation.split) };
  return { ...examples, classes, shape: [...shape], digest, classNames: [...classNames] };
}

/** A compute thread for the job, whose library reads the environment as it loads, which is in that thread, later. */
export function openDevice({ job }: Welcome__Output): Device {
  Object.assign(process.env, engineEnvironment((JSON.parse(job) as Job).threads));
  return new Device();
}

/**
 * A coordinator that is back may have other intervals and folders. Throws `unavailable` where it runs another job, or one
 * that needs the dataset here, which is not open.
 */
export function adopt(
  context: WorkerContext<Dataset | null>,
  { job: json, jobFolder, runFolder, depot, sources }: Welcome__Output,
): void {
  const job = JSON.parse(json) as Job;
  if (JSON.stringify(resultDeciding(job)) !== JSON.stringify(resultDeciding(context.job))) {
    throw new LimbeckError("unavailable", `the coordinator now runs another job, ${job.name}: start the worker anew`);
  }
  if (context.dataset === null && job.softTargets.inputs === "ids") {
    const message = "softTargets.inputs is ids now, and this teacher has not opened the dataset: start the worker anew";
    throw new LimbeckError("unavailable", message);
  }
  if (depot !== (context.depot?.url ?? "")) {
    throw new LimbeckError("unavailable", "the coordinator now has another depot than before: start the worker anew");
  }
  const folder = folderOf({ jobFolder, sources });
  Object.assign(context, { job, jobFolder: folder, runFolder: context.depot ? context.runFolder : runFolder });
}
