/** `limbeck plan`: what a job's models cost on this machine, measured in under half a minute with the real engine and data. */

import { availableParallelism } from "node:os";
import type { Job } from "../../core/job.ts";
import { sizeOf } from "../../core/layout.ts";
import type { Calibration } from "../../core/plan/calibration.ts";
import { planStages } from "../../core/stages.ts";
import { Arena } from "../arena.ts";
import type { NetworkName } from "../compute/protocol.ts";
import { modelRequest, viewOfEpoch, type WorkerContext } from "../context.ts";
import { openSolo } from "../solo.ts";
import { measureSteps, stepOf } from "./measured.ts";
import { startSecond } from "./second.ts";

export interface CalibrationOptions {
  readonly job: Job;
  readonly jobFolder: string;
  /** Where nothing need be; nothing is left there. */
  readonly scratchFolder: string;
  log(line: string): void;
}

const measureMs = 2500;

/** @throws what a worker of the job would fail of, and `unavailable` where a second process dies of it */
export async function calibrate({ job, jobFolder, scratchFolder, log }: CalibrationOptions): Promise<Calibration> {
  const quiet = withoutInterruptions(job);
  log("loading the engine and the dataset ...");
  const startedMs = performance.now();
  const solo = await openSolo(quiet, jobFolder, scratchFolder);
  const prepareSeconds = (performance.now() - startedMs) / 1000;
  const second = startSecond({ job: quiet, jobFolder, scratchFolder });
  try {
    const { context } = solo;
    const { dataset } = context;
    const plans = planStages(job, dataset.count("train"));
    await second.ready;
    log("a few steps of the teacher ...");
    const teacher = plans[0]!;
    const teach = teacher.training && (await measureSteps(context, { plan: teacher, term: 1, forMs: measureMs }));
    const teacherForward = await measureForward(context, "teacher");
    log("a few steps of the student ...");
    const plan = plans[1]!;
    const student = await measureSteps(context, { plan, term: 2, forMs: measureMs });
    const studentForward = await measureForward(context, "student");
    log("the same in two processes at once ...");
    const [ours, theirs] = await Promise.all([
      measureSteps(context, { plan, term: 3, forMs: measureMs }),
      second.measure(measureMs),
    ]);
    const alone = stepOf(student, job.lanes.count);
    const twoAtOnce = Math.min(2, alone / stepOf(ours, job.lanes.count) + alone / theirs);
    return {
      machine: { cores: availableParallelism(), threads: job.threads, gpu: solo.engine.gpu, twoAtOnce },
      dataset: {
        trainExamples: dataset.count("train"),
        evaluationExamples: dataset.count(job.evaluation.split),
        classes: dataset.classes,
      },
      teach,
      student,
      forward: { teacherSeconds: teacherForward.laneSeconds, studentSeconds: studentForward.laneSeconds },
      weights: { teacher: teacherForward.weights, student: studentForward.weights },
      prepareSeconds,
      copySecondsPerFloat: measureCopy(),
    };
  } finally {
    second.end();
    await solo.close();
  }
}

/** Nothing but steps. */
function withoutInterruptions(job: Job): Job {
  return {
    ...job,
    doctor: false,
    evaluation: { ...job.evaluation, everyEpochs: 0 },
    checkpoint: { ...job.checkpoint, everySteps: 0 },
    verification: { ...job.verification, everySteps: 0 },
    softTargets: { ...job.softTargets, onNoTeacher: "fail" },
  };
}

const forwardMs = 1000;

/** Inference on one lane, with the views a student and a teacher both write. */
async function measureForward(context: WorkerContext, role: "teacher" | "student") {
  const { job, dataset, device } = context;
  const name: NetworkName = "variant";
  const { layout } = await device.ask("build", { name, ...modelRequest(context, role) });
  const count = Math.min(job.lanes.batch, dataset.count("train"));
  const floats = count * sizeOf(dataset.shape);
  const inputs = Arena.create(4 * floats).floats(floats);
  const examples = Uint32Array.from({ length: count }, (_, id) => id);
  const lane = async () => {
    dataset.examples("train", examples, viewOfEpoch(job, "distil", 0), inputs);
    await device.ask("logits", { name, inputs, count });
  };
  await lane(); // Warm-up.
  const startedMs = performance.now();
  let lanes = 0;
  for (; lanes === 0 || performance.now() - startedMs < forwardMs; lanes++) await lane();
  const laneSeconds = (performance.now() - startedMs) / 1000 / lanes;
  await device.ask("drop", { name });
  return { laneSeconds, weights: layout.weights };
}

const copiedFloats = 2 ** 22;
const copies = 10;

/** Out of cache, as gradients are. */
function measureCopy(): number {
  const [from, into] = [new Float32Array(copiedFloats).fill(1), new Float32Array(copiedFloats)];
  into.set(from);
  const startedMs = performance.now();
  for (let copy = 0; copy < copies; copy++) into.set(from);
  return (performance.now() - startedMs) / 1000 / (copies * copiedFloats);
}
