/** What a stage leaves behind: its models, each measured as it loads back from disk, and examples to look at. */
import { join } from "node:path";
import { serversOf } from "../core/jobteacher.ts";
import type { Stage } from "../core/stages.ts";
import type { Exported } from "../proto/gen/limbeck/v1/Exported.ts";
import type { ExportedModel } from "../proto/gen/limbeck/v1/ExportedModel.ts";
import { saveQuantized } from "./artifacts/quantize.ts";
import { saveLayersModel } from "./artifacts/tfjs.ts";
import { evaluationSplit, modelRequest, type TrainedModel, type WorkerContext } from "./context.ts";
import { type EvaluationPlan, evaluateChunks } from "./evaluate.ts";
import { measureLatencies } from "./latencies.ts";
import { picturesOf } from "./pictures.ts";

type Format = "float32" | "float16" | "uint8";

export interface ExportOrder {
  readonly stage: Stage;
  /** Examples of the evaluation split to send along. */
  readonly pictures: readonly number[];
}

/** Writes the teacher after `teach`, unless it is only asked; the student and its quantised variants after `distil`. */
export async function exportStage(
  context: WorkerContext,
  { stage, pictures }: ExportOrder,
  signal: AbortSignal,
): Promise<Exported> {
  const model = context.trained.get(stage)!;
  const split = evaluationSplit(context.job);
  // The files of a model that is only asked are where the user has them, and the report has its digest.
  const isGiven = model.givenSha256 !== null;
  const models = isGiven ? [] : await written(context, stage, model, signal);
  const latencies = isGiven ? await measureGiven(context, signal) : [];
  return { stage, models, latencies, pictures: picturesOf(context.dataset, split, pictures) };
}

async function written(
  context: WorkerContext,
  stage: Stage,
  model: TrainedModel,
  signal: AbortSignal,
): Promise<ExportedModel[]> {
  const role = stage === "teach" ? "teacher" : "student";
  const formats: readonly Format[] = stage === "teach" ? ["float32"] : ["float32", "float16", "uint8"];
  const exported: ExportedModel[] = [];
  for (const format of formats) {
    const folder = format === "float32" ? role : `${role}-${format}`;
    context.status.doing = `writing ${folder}/`;
    const bytes = await save(join(context.runFolder, folder), model, format);
    exported.push({ folder, format, bytes, ...(await measure(context, folder, signal)) });
  }
  return exported;
}

async function save(folder: string, model: TrainedModel, format: Format): Promise<number> {
  const saved =
    format === "float32" ? await saveLayersModel(folder, model) : await saveQuantized(folder, model, format);
  return saved.bytes;
}

/** Errors, cross-entropy and latencies of the model in a folder on the evaluation split. */
async function measure(context: WorkerContext, folder: string, signal: AbortSignal) {
  const { device, runFolder } = context;
  const spec = { load: join(runFolder, folder) };
  const own = { name: "variant", spec, jobFolder: runFolder, role: folder } as const;
  await device.ask("build", { ...modelRequest(context, "student"), ...own });
  const sums = { examples: 0, errors: 0, crossEntropy: 0 };
  const plan = variantPlan(context);
  for await (const chunk of evaluateChunks(plan, { first: 0, stride: 1 }, signal)) {
    sums.examples += chunk.examples;
    sums.errors += chunk.labels.reduce((wrong, label, at) => wrong + Number(label !== chunk.predictions[at]), 0);
    sums.crossEntropy += chunk.crossEntropy;
  }
  const latencies = await measureLatencies(plan, signal);
  await device.ask("drop", { name: "variant" });
  return { ...sums, crossEntropy: sums.crossEntropy / sums.examples, latencies };
}

/** Of a teacher on the device's own machine; what a server takes is mostly the way to it, and its other clients. */
async function measureGiven(context: WorkerContext, signal: AbortSignal) {
  const { job, device } = context;
  if (serversOf(job.teacher) !== "") return [];
  context.status.doing = "measuring the teacher";
  await device.ask("build", { ...modelRequest(context, "teacher"), name: "variant" });
  const latencies = await measureLatencies(variantPlan(context), signal);
  await device.ask("drop", { name: "variant" });
  return latencies;
}

function variantPlan({ job, device, dataset }: WorkerContext): EvaluationPlan {
  return { device, network: "variant", dataset, split: evaluationSplit(job), batch: job.evaluation.batch };
}
