/** What a calibration measured, kept beside the job file, and what it makes of a run, kept in the run's folder. */
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { LimbeckError } from "../core/errors.ts";
import type { Job } from "../core/job.ts";
import { resultDeciding } from "../core/jobdigest.ts";
import type { Calibration } from "../core/plan/calibration.ts";
import { type Prediction, predict, type Split } from "../core/plan/prediction.ts";
import { writeTextWhole } from "../proto/files.ts";

interface SavedPlan {
  /** The job that was measured, as resultDeciding gives it. */
  readonly job: object;
  readonly calibration: Calibration;
}

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
  const saved = await readJson<SavedPlan>(savedPlanPath(file));
  if (!saved || JSON.stringify(saved.job) !== JSON.stringify(resultDeciding(job))) return null;
  return predict(job, saved.calibration, split);
}

const predictionName = "plan.json";

export async function keepPrediction(runFolder: string, prediction: Prediction): Promise<void> {
  const path = join(runFolder, predictionName);
  await writeTextWhole(path, `${JSON.stringify(prediction, null, 2)}\n`);
}

export async function keptPrediction(runFolder: string): Promise<Prediction | null> {
  return await readJson<Prediction>(join(runFolder, predictionName));
}

async function readJson<T>(path: string): Promise<T | null> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw new LimbeckError("unavailable", `${path} cannot be read: ${(cause as Error).message}`, { cause });
  }
  try {
    return JSON.parse(text) as T;
  } catch (cause) {
    throw new LimbeckError("corrupt", `${path} is no plan: remove it, or write it anew with limbeck plan --save`, {
      cause,
    });
  }
}
