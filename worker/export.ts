/** The models a stage leaves behind, each measured as it loads back from disk. */
import { join } from "node:path";
import type { Stage } from "../core/stages.ts";
import type { ExportedModel } from "../proto/gen/limbeck/v1/ExportedModel.ts";
import { saveQuantized } from "./artifacts/quantize.ts";
import { saveLayersModel } from "./artifacts/tfjs.ts";
import { evaluationSplit, modelRequest, type TrainedModel, type WorkerContext } from "./context.ts";
import { evaluateChunks } from "./evaluate.ts";

type Format = "float32" | "float16" | "uint8";

/** Writes the teacher after `teach`, unless it is only asked; the student and its quantised variants after `distil`. */
export async function exportStage(context: WorkerContext, stage: Stage, signal: AbortSignal): Promise<ExportedModel[]> {
  const model = context.trained.get(stage)!;
  if (model.givenSha256 !== null) return []; // Its files are where the user has them, and the report has its digest.
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

/** Errors and cross-entropy of the model in a folder on the evaluation split. */
async function measure(context: WorkerContext, folder: string, signal: AbortSignal) {
  const { job, device, dataset, runFolder } = context;
  const spec = { load: join(runFolder, folder) };
  const own = { name: "variant", spec, jobFolder: runFolder, role: folder } as const;
  await device.ask("build", { ...modelRequest(context, "student"), ...own });
  const sums = { examples: 0, errors: 0, crossEntropy: 0 };
  const plan = {
    device,
    network: "variant" as const,
    dataset,
    split: evaluationSplit(job),
    batch: job.evaluation.batch,
  };
  for await (const chunk of evaluateChunks(plan, { first: 0, stride: 1 }, signal)) {
    sums.examples += chunk.examples;
    sums.errors += chunk.correct.reduce((errors, correct) => errors + 1 - correct, 0);
    sums.crossEntropy += chunk.crossEntropy;
  }
  await device.ask("drop", { name: "variant" });
  return { ...sums, crossEntropy: sums.crossEntropy / sums.examples };
}
