/** `limbeck plan`: how long a job takes here, with which workers, and what it needs of the disk. */
import { mkdtemp, rm, statfs } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { LimbeckError } from "../core/errors.ts";
import type { Job } from "../core/job.ts";
import type { Calibration } from "../core/plan/calibration.ts";
import { bestSplit, type Prediction, predict } from "../core/plan/prediction.ts";
import { type CacheEstimate, cacheEstimate, type DiskEstimate, diskEstimate } from "../core/plan/storage.ts";
import { studentRange } from "../core/studentrange.ts";
import { isApart, teacherParts } from "../core/teacherparts.ts";
import { bytesText, counted, duration } from "../core/words.ts";
import { ensureEngine } from "../worker/engine/install.ts";
import { calibrate } from "../worker/plan/calibrate.ts";
import { hasProcessEnvironment, runAgain } from "./children.ts";
import { readJob } from "./coordinator.ts";
import type { OutputFormat } from "./display.ts";
import { savePlan } from "./savedplan.ts";
import { newTable } from "./table.ts";

export interface PlanCommand {
  /** Numbers of workers beside the job's own. */
  readonly workers: readonly number[];
  readonly set: readonly string[];
  readonly save?: boolean;
  readonly output: OutputFormat;
}

/** What `-o json` prints. */
export interface JobPlan {
  readonly calibration: Calibration;
  /** With the workers that the job names. */
  readonly asGiven: Prediction;
  /** The best split of as many workers. */
  readonly best: Prediction;
  /** The best split of other numbers of workers. */
  readonly others: readonly Prediction[];
  readonly cache: CacheEstimate;
  readonly disk: DiskEstimate & { readonly freeBytes: number };
}

const usualSizes = [2, 4, 8];

/** A student, and a teacher for each part. */
function fewestWorkers({ teacher }: Job): number {
  return 1 + teacherParts(teacher).length;
}

export async function plan(file: string, options: PlanCommand): Promise<void> {
  if (!hasProcessEnvironment()) {
    process.exitCode = await runAgain();
    return;
  }
  const job = await readJob(file, options.set);
  const tooFew = options.workers.find((workers) => workers < fewestWorkers(job));
  if (tooFew !== undefined) {
    const teachers = isApart(job.teacher)
      ? `a teacher for each of ${job.teacher.ensemble.length} members`
      : "a teacher";
    throw new LimbeckError("usage", `--workers ${tooFew}: the job needs a student and ${teachers}`);
  }
  const log = (line: string) => void process.stderr.write(`${line}\n`);
  await ensureEngine(job.engine, { log });
  const scratchFolder = await mkdtemp(join(tmpdir(), "limbeck-plan-"));
  try {
    const calibration = await calibrate({ job, jobFolder: dirname(resolve(file)), scratchFolder, log });
    const planned = await planOf(job, calibration, options.workers);
    process.stdout.write(options.output === "json" ? `${JSON.stringify(planned)}\n` : `${told(job, planned)}\n`);
    if (options.save) log(`kept in ${await savePlan(file, job, calibration)}: limbeck run reports what was predicted`);
  } finally {
    await rm(scratchFolder, { recursive: true, force: true });
  }
}

async function planOf(job: Job, calibration: Calibration, sizes: readonly number[]): Promise<JobPlan> {
  const given = { students: studentRange(job).min, teachers: job.workers.teachers };
  const asGiven = predict(job, calibration, given);
  const cache = cacheEstimate(job, calibration, asGiven);
  const { bavail, bsize } = await statfs(process.cwd());
  return {
    calibration,
    asGiven,
    best: bestSplit(job, calibration, given.students + given.teachers),
    others: (sizes.length > 0 ? sizes : usualSizes.filter((workers) => workers >= fewestWorkers(job))).map((workers) =>
      bestSplit(job, calibration, workers),
    ),
    cache,
    disk: { ...diskEstimate(job, calibration, cache), freeBytes: bavail * bsize },
  };
}

function told(job: Job, { calibration, asGiven, best, others, cache, disk }: JobPlan): string {
  const { machine } = calibration;
  const stages = asGiven.stages.map(({ stage }) => stage);
  const perStep = stages.map((stage) => `${stage}, a step`);
  const table = newTable(["workers", "students : teachers", ...perStep, ...stages, "in all"]);
  const row = (name: string, { students, teachers, stages, wallSeconds }: Prediction) =>
    table.push([
      name,
      `${students} : ${teachers}`,
      ...stages.map(({ stepSeconds, boundBy }) =>
        stepSeconds === 0 ? "-" : `${milliseconds(stepSeconds)} (${boundBy})`,
      ),
      ...stages.map((stage) => duration(stage.wallSeconds)),
      duration(wallSeconds),
    ]);
  const workers = (of: Prediction) => of.students + of.teachers;
  row(`${workers(asGiven)}, as the job says`, asGiven);
  if (best.students !== asGiven.students) row(`${workers(best)}, best split`, best);
  for (const other of others) if (workers(other) !== workers(asGiven)) row(`${workers(other)}, best split`, other);
  const cores = counted(machine.cores, "core");
  return [
    `${job.name} on ${machine.gpu ? "GPUs, one for each worker" : `${cores}, ${counted(machine.threads, "compute thread")} per worker`}; two processes at once do the work of ${machine.twoAtOnce.toFixed(2)}`,
    table.toString(),
    ...enough([asGiven, best, ...others]),
    `in brackets what a step waits for: its students, its teachers, or the cores that all of them share`,
    `cache of soft targets: ${cache.bytes > 0 ? `${bytesText(cache.bytes)}, ` : ""}${cache.pays ? "pays" : "does not pay"}: ${cache.why}`,
    `disk: ${bytesText(disk.bytes)} (checkpoints ${bytesText(disk.checkpointBytes)}, models ${bytesText(disk.exportBytes)}, cache ${bytesText(disk.cacheBytes)}); ${bytesText(disk.freeBytes)} are free here${disk.bytes > disk.freeBytes ? ": TOO LITTLE" : ""}`,
  ].join("\n");
}

/** Within so much of the shortest time a plan is as good. */
const asGood = 1.02;

/** Where more workers bring nothing. */
function enough(predictions: readonly Prediction[]): string[] {
  const shortest = Math.min(...predictions.map(({ wallSeconds }) => wallSeconds));
  const good = predictions.filter(({ wallSeconds }) => wallSeconds <= asGood * shortest);
  const workers = ({ students, teachers }: Prediction) => students + teachers;
  const fewest = good.reduce((least, each) => (workers(each) < workers(least) ? each : least));
  if (!predictions.some((each) => workers(each) > workers(fewest))) return [];
  return [`more than ${workers(fewest)} workers (${fewest.students} : ${fewest.teachers}) bring nothing here`];
}

function milliseconds(seconds: number): string {
  return `${(seconds * 1000).toFixed(seconds < 0.1 ? 1 : 0)} ms`;
}
