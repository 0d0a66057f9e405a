/** What `limbeck run` is to do, from its command line: the job, its folder, and how many processes. */

import { mkdir, readdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { LimbeckError } from "../core/errors.ts";
import type { Job } from "../core/job.ts";
import { studentsGiven } from "../core/studentrange.ts";
import { counted } from "../core/words.ts";
import type { EngineChoice } from "../worker/engine/engine.ts";
import { readJob } from "./coordinator.ts";
import { type EarlierPart, earlierPart } from "./resume.ts";
import { keepPrediction, predictedRun } from "./savedplan.ts";

export interface PlanOptions {
  readonly out?: string;
  readonly resume?: string;
  readonly students?: number;
  readonly teachers?: number;
  /** Workers whose roles the coordinator chooses. */
  readonly auto?: number;
  readonly set: readonly string[];
  readonly engine?: EngineChoice;
  /** False for a job without one. */
  readonly doctor?: boolean;
}

export interface RunPlan {
  readonly job: Job;
  /** The command line's changes to the job, in the form `--set` has. */
  readonly overrides: readonly string[];
  /** Student processes to start; where roles are by themselves, workers that are students when it begins. */
  readonly students: number;
  readonly folder: string;
  /** null in a new folder. */
  readonly earlier: EarlierPart | null;
}

/** Throws `usage` or `bad_job` for what the user must change. */
export async function planRun(file: string, options: PlanOptions): Promise<RunPlan> {
  const { out, resume, teachers, auto, engine, set, doctor = true } = options;
  if (out !== undefined && resume !== undefined) {
    throw new LimbeckError("usage", "--out and --resume exclude each other: --resume goes on in the folder it names");
  }
  const roles = auto === undefined ? undefined : "auto";
  const withoutDoctor = doctor ? undefined : "false";
  const named = given({ "workers.teachers": teachers, "workers.roles": roles, engine, doctor: withoutDoctor });
  const asked = [...set, ...named];
  const { workers } = await readJob(file, asked);
  const students = studentsOf(options, workers.teachers);
  const range = roles === "auto" || typeof workers.students === "number" ? null : workers.students;
  if (range && students !== undefined && (students < range.min || students > range.max)) {
    const message = `--students ${students}: the job wants ${range.min} to ${range.max}`;
    throw new LimbeckError("usage", message);
  }
  // Where the job gives a range, it stays: the number only says how many start.
  const overrides = [...asked, ...(range ? [] : given({ "workers.students": students }))];
  const job = await readJob(file, overrides);
  const count = students ?? studentsGiven(job.workers).min;
  if (resume === undefined) {
    const predicted = await predictedRun(file, job, { students: count, teachers: job.workers.teachers });
    const folder = await newFolder(job, out);
    if (predicted) await keepPrediction(folder, predicted);
    return { job, overrides, students: count, folder, earlier: null };
  }
  const earlier = await earlierPart(resume, job, file);
  if (!earlier) throw new LimbeckError("usage", `--resume ${resume}: there is no run in it, for it has no job.yaml`);
  return { job, overrides, students: count, folder: resolve(resume), earlier };
}

/** Of workers whose roles are the coordinator's to choose: those that are no teachers when the job begins. */
function studentsOf({ students, auto }: PlanOptions, teachers: number): number | undefined {
  if (auto === undefined) return students;
  if (students !== undefined) {
    throw new LimbeckError("usage", "--students and --auto exclude each other: --auto is the number of all workers");
  }
  if (auto > teachers) return auto - teachers;
  const message = `--auto ${auto}: the job begins with ${counted(teachers, "teacher")} and at least one student; give more, or fewer --teachers`;
  throw new LimbeckError("usage", message);
}

function given(fields: Readonly<Record<string, string | number | undefined>>): string[] {
  return Object.entries(fields).flatMap(([path, value]) => (value === undefined ? [] : [`${path}=${value}`]));
}

/** Makes the folder of the results. A folder that holds files is refused: nothing of another run is overwritten. */
async function newFolder(job: Job, out: string | undefined): Promise<string> {
  const time = new Date().toISOString().slice(0, 19).replace(/[:T]/g, "-");
  const folder = resolve(out ?? join("runs", `${job.name}-${time}`));
  try {
    await mkdir(folder, { recursive: true });
    if ((await readdir(folder)).length > 0) {
      const message = `--out ${out ?? folder}: the folder is not empty; choose another, remove it, or go on with the run in it: --resume`;
      throw new LimbeckError("usage", message);
    }
  } catch (cause) {
    if (cause instanceof LimbeckError) throw cause;
    throw new LimbeckError("unavailable", `the run folder ${folder} cannot be made: ${(cause as Error).message}`, {
      cause,
    });
  }
  return folder;
}
