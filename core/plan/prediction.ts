/**
 * From a calibration to the time a job takes. A step lasts as long as the longest of three: the busiest student, the
 * busiest teacher, and all work together on the cores there are: processes beyond the cores take turns on them.
 */
import type { Job } from "../job.ts";
import { planStages, type Stage, type StagePlan } from "../stages.ts";
import { teacherParts } from "../teacherparts.ts";
import type { Calibration, TrainingCost } from "./calibration.ts";

export interface Split {
  readonly students: number;
  readonly teachers: number;
}

export interface PredictedStage {
  readonly stage: Stage;
  readonly steps: number;
  readonly stepSeconds: number;
  /** Over all students; 0 where no step is taken. */
  readonly samplesPerSecond: number;
  /** Steps and evaluations. */
  readonly wallSeconds: number;
  /** What a step lasts as long as. */
  readonly boundBy: "students" | "teachers" | "cores";
}

export interface Prediction extends Split {
  readonly stages: readonly PredictedStage[];
  readonly wallSeconds: number;
}

/** Round trips of an all-reduce between processes of one host, as measured by `bench exchange` with next to no payload. */
const exchangeLatencySeconds = 1.5e-3;
/** Each float is published, pulled, added and copied, in both rounds. */
const copiesPerFloat = 6;

export function predict(job: Job, calibration: Calibration, split: Split): Prediction {
  const stages = planStages(job, calibration.dataset.trainExamples).map((plan) =>
    predictStage(job, calibration, split, plan),
  );
  const wallSeconds =
    calibration.prepareSeconds * sharing(calibration, split.students + split.teachers) +
    stages.reduce((sum, stage) => sum + stage.wallSeconds, 0);
  return { ...split, stages, wallSeconds };
}

/**
 * The split of so many workers with the shortest job; the first of equals has the most students.
 * @param workers at least a student and as many teachers as the teacher has parts
 */
export function bestSplit(job: Job, calibration: Calibration, workers: number): Prediction {
  const most = Math.min(workers - teacherParts(job.teacher).length, job.lanes.count);
  const splits = Array.from({ length: most }, (_, at) => ({ students: most - at, teachers: workers - most + at }));
  const predictions = splits.map((split) => predict(job, calibration, split));
  return predictions.reduce((best, each) => (each.wallSeconds < best.wallSeconds ? each : best));
}

/** Seconds of a step of distil whose soft targets all lie in a cache. */
export function cachedStepSeconds(job: Job, calibration: Calibration, split: Split): number {
  return stepOf(job, calibration, split, { cost: calibration.student, servedLaneSeconds: 0 }).seconds;
}

function predictStage(job: Job, calibration: Calibration, split: Split, plan: StagePlan): PredictedStage {
  const { stage, steps, stepsPerEpoch } = plan;
  const { forward, dataset, teach, student } = calibration;
  const cost = stage === "teach" ? teach : student;
  const step =
    cost && steps > 0
      ? stepOf(job, calibration, split, { cost, servedLaneSeconds: plan.soft ? forward.teacherSeconds : 0 })
      : null;
  const every = job.evaluation.everyEpochs * stepsPerEpoch;
  // The last one comes with the end of the stage; of the models written then each is evaluated once more, by one worker.
  const evaluations = 1 + (every > 0 && steps > 0 ? Math.ceil(steps / every) - 1 : 0);
  const written = { teach: 1, distil: 3, baseline: 0 }[stage];
  const evaluationSeconds = (forwardSeconds(calibration, plan) * dataset.evaluationExamples) / job.lanes.batch;
  const together = Math.min(split.students, capacity(calibration));
  const wallSeconds = steps * (step?.seconds ?? 0) + evaluationSeconds * (evaluations / together + written);
  const examples = dataset.trainExamples / stepsPerEpoch;
  return {
    stage,
    steps,
    stepSeconds: step?.seconds ?? 0,
    samplesPerSecond: step ? examples / step.seconds : 0,
    wallSeconds,
    boundBy: step?.boundBy ?? "students",
  };
}

function forwardSeconds({ forward }: Calibration, { model }: StagePlan): number {
  return model === "teacher" ? forward.teacherSeconds : forward.studentSeconds;
}

function stepOf(
  { lanes, teacher }: Job,
  calibration: Calibration,
  { students, teachers }: Split,
  { cost, servedLaneSeconds }: { readonly cost: TrainingCost; readonly servedLaneSeconds: number },
): { seconds: number; boundBy: PredictedStage["boundBy"] } {
  const busy = servedLaneSeconds > 0 ? students + teachers : students;
  const share = sharing(calibration, Math.min(busy, capacity(calibration)));
  const exchange = exchangeSeconds(calibration, cost, students);
  const ofStudents = share * (Math.ceil(lanes.count / students) * cost.laneSeconds + cost.stepSeconds) + exchange;
  // Members of an ensemble that is served apart are taken to cost the same; the one with the fewest workers is the slowest.
  const parts = teacherParts(teacher).length;
  const ofTeachers = (share * Math.ceil(lanes.count / Math.floor(teachers / parts)) * servedLaneSeconds) / parts;
  const work = lanes.count * (cost.laneSeconds + servedLaneSeconds) + students * (cost.stepSeconds + exchange);
  const ofCores = (work * threadsOf(calibration)) / capacity(calibration);
  const seconds = Math.max(ofStudents, ofTeachers, ofCores);
  const boundBy = seconds === ofStudents ? "students" : seconds === ofTeachers ? "teachers" : "cores";
  return { seconds, boundBy };
}

function exchangeSeconds({ copySecondsPerFloat }: Calibration, { gradient }: TrainingCost, students: number): number {
  if (students === 1) return 0;
  return exchangeLatencySeconds + (copiesPerFloat * copySecondsPerFloat * gradient * (students - 1)) / students;
}

/** Worth of cores. Every worker has a GPU of its own: only its host's work is shared, and that is not what bounds it. */
function capacity({ machine }: Calibration): number {
  if (machine.gpu) return Number.POSITIVE_INFINITY;
  return Math.max(1, (machine.cores * machine.twoAtOnce) / Math.min(2, machine.cores));
}

function threadsOf({ machine }: Calibration): number {
  return Math.min(machine.threads, machine.cores);
}

/** How much longer each of so many processes takes than alone, memory and caches shared, while there are cores for all. */
function sharing({ machine }: Calibration, processes: number): number {
  if (processes <= 1 || machine.gpu || machine.cores === 1) return 1;
  return 2 / machine.twoAtOnce;
}
