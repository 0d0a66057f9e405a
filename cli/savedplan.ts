/** What a calibration measured, kept beside the job file, and what it makes of a run, kept in the run's folder. */
import { join, resolve } from "node:path";
import { z } from "zod";
import { LimbeckError } from "../core/errors.ts";
import type { Job } from "../core/job.ts";
import { resultDeciding } from "../core/jobdigest.ts";
import { parseJson } from "../core/nesting.ts";
import type { Calibration } from "../core/plan/calibration.ts";
import { type Prediction, predict, type Split } from "../core/plan/prediction.ts";
import { count, stage } from "../core/shapes.ts";
import { readFileWithin, writeTextWhole } from "../proto/files.ts";

interface SavedPlan {
  /** The job that was measured, as resultDeciding gives it. */
  readonly job: object;
  readonly calibration: Calibration;
}

const some = z.int().positive();
/** Of thirty years at most: figures that are predicted from them are numbers, too. */
const seconds = z.number().min(0).max(1e9);
const cost = z.object({ laneSeconds: seconds, stepSeconds: seconds, gradient: count, state: count });
const calibrationSchema = z.object({
  machine: z.object({ cores: some, threads: some, gpu: z.boolean(), twoAtOnce: z.number().min(0.01).max(100) }),
  dataset: z.object({ trainExamples: some, evaluationExamples: count, classes: some }),
  teach: cost.nullable(),
  student: cost,
  forward: z.object({ teacherSeconds: seconds, studentSeconds: seconds }),
  weights: z.object({ teacher: count, student: count }),
  prepareSeconds: seconds,
  copySecondsPerFloat: seconds,
}) satisfies z.ZodType<Calibration>;
const savedSchema = z.object({ job: z.record(z.string(), z.unknown()), calibration: z.unknown() });
const predictionSchema = z.object({
  ...{ students: count, teachers: count, wallSeconds: z.number().min(0) },
  stages: z.array(
    z.object({
      stage,
      ...{
        steps: count,
        stepSeconds: z.number().min(0),
        samplesPerSecond: z.number().min(0),
        wallSeconds: z.number().min(0),
      },
      boundBy: z.enum(["students", "teachers", "cores"]),
    }),
  ),
}) satisfies z.ZodType<Prediction>;

const mostBytes = 1 << 20;

function savedPlanPath(file: string): string {
  return resolve(`${file.replace(/\.ya?ml$/, "")}.plan.json`);
}

/** @returns where. Throws `unavailable` where it cannot be written. */
export async function savePlan(file: string, job: Job, calibration: Calibration): Promise<string> {
  const path = savedPlanPath(file);
  const saved: SavedPlan = { job: resultDeciding(job), calibration };
  await writeTextWhole(path, `${JSON.stringify(saved, null, 2)}\n`);
  return path;
}

/** What was measured for this very job makes of these workers; null where nothing was. Throws `corrupt` where it cannot be read. */
export async function predictedRun(file: string, job: Job, split: Split): Promise<Prediction | null> {
  const path = savedPlanPath(file);
  const saved = await readPlan(path, savedSchema);
  if (!saved || JSON.stringify(saved.job) !== JSON.stringify(resultDeciding(job))) return null;
  return predict(job, checked(path, calibrationSchema, saved.calibration), split);
}

const predictionName = "plan.json";

export async function keepPrediction(runFolder: string, prediction: Prediction): Promise<void> {
  const path = join(runFolder, predictionName);
  await writeTextWhole(path, `${JSON.stringify(prediction, null, 2)}\n`);
}

export async function keptPrediction(runFolder: string): Promise<Prediction | null> {
  return await readPlan(join(runFolder, predictionName), predictionSchema);
}

/** null where there is none. */
async function readPlan<S extends z.ZodType>(path: string, schema: S): Promise<z.output<S> | null> {
  let text: string;
  try {
    text = String(await readFileWithin(path, mostBytes));
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw new LimbeckError("unavailable", `${path} cannot be read: ${(cause as Error).message}`, { cause });
  }
  let value: unknown;
  try {
    value = parseJson(text);
  } catch (cause) {
    throw noPlan(path, cause);
  }
  return checked(path, schema, value);
}

function checked<S extends z.ZodType>(path: string, schema: S, value: unknown): z.output<S> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw noPlan(path, parsed.error);
}

function noPlan(path: string, cause: unknown): LimbeckError {
  const message = `${path} is no plan: remove it, or write it anew with limbeck plan --save`;
  return new LimbeckError("corrupt", message, { cause });
}
