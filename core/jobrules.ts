/** What no field of a job says by itself: rules that join several of them, each with what would be right. */
import type { z } from "zod";
import type { Job } from "./job.ts";
import { sourceOfTeacher, type TeacherSpec } from "./jobteacher.ts";
import { studentsGiven } from "./studentrange.ts";
import { teacherParts } from "./teacherparts.ts";

type Path = (string | number)[];

/** @param also other fields that contradict this one: an error points at the one the user set last */
type Refuse = (path: Path, message: string, ...also: Path[]) => void;

/** For `superRefine` of the schema: tells the context of every rule that is broken. */
export function checkRules(job: Job, context: z.RefinementCtx): void {
  const refuse: Refuse = (path, message, ...also) =>
    context.addIssue({ code: "custom", path, message, params: { also } });
  checkBudgets(job, refuse);
  checkTeaching(job, refuse);
  checkWorkers(job, refuse);
  checkFiles(job, refuse);
  checkSplits(job, refuse);
  checkViews(job, refuse);
  checkModels(job, refuse);
}

function checkBudgets(job: Job, refuse: Refuse): void {
  for (const stage of ["teach", "distil"] as const) {
    const given = job[stage];
    if (given?.epochs !== undefined && given.steps !== undefined) {
      refuse([stage, "steps"], "give either epochs or steps, not both", [stage, "epochs"]);
    } else if (given && given.epochs === undefined && given.steps === undefined) {
      refuse([stage], "needs either epochs or steps");
    }
  }
}

function checkTeaching({ teacher, teach }: Job, refuse: Refuse): void {
  const source = sourceOfTeacher(teacher);
  if (source !== null && teach) {
    const kind = source === "load" ? "a loaded teacher" : source === "remote" ? "a remote teacher" : "an ensemble";
    refuse(["teach"], `${kind} is not taught: remove either teach or teacher.${source}`, ["teacher", source]);
  }
  if (source === null && !teach) {
    const message = "needed to train the teacher, unless teacher.load, remote or ensemble names a trained one";
    refuse(["teach"], message);
  }
}

function checkWorkers({ lanes, workers, teacher }: Job, refuse: Refuse): void {
  const { min, max } = studentsGiven(workers);
  if (max < min) refuse(["workers", "students", "max"], `must be at least min, ${min}, found ${max}`);
  if (lanes.count < max) {
    const message = `${lanes.count} lanes cannot be dealt to ${max} students: every student needs at least one`;
    refuse(["lanes", "count"], message, ["workers", "students"]);
  }
  const parts = teacherParts(teacher).length;
  if (workers.teachers < parts) {
    const message = `the ${parts} members of teacher.ensemble, served apart, need a worker each: give at least ${parts}, found ${workers.teachers}, or set teacher.workers to together`;
    refuse(["workers", "teachers"], message, ["teacher", "workers"]);
  }
}

function checkFiles({ dataset }: Job, refuse: Refuse): void {
  for (const split of ["train", "test"] as const) {
    const path = ["dataset", split, "labels"];
    const { labels } = dataset[split];
    if (dataset.kind === "idx" && labels === undefined) refuse(path, "needed for idx: the file of the labels");
    if (dataset.kind === "csv" && labels !== undefined) {
      refuse(path, "must not be given for csv: its labels are in the column named by dataset.label");
    }
  }
  if (dataset.kind === "csv" && dataset.label === undefined) {
    refuse(["dataset", "label"], "needed for csv: the name of the label column");
  }
  if (dataset.kind === "idx" && dataset.label !== undefined) {
    refuse(["dataset", "label"], "must not be given for idx: its labels are in files of their own");
  }
}

function checkSplits({ dataset, evaluation }: Job, refuse: Refuse): void {
  if (dataset.limit !== undefined && dataset.validation >= dataset.limit) {
    const message = `${dataset.validation} validation examples of the first ${dataset.limit} leave none to train on`;
    refuse(["dataset", "validation"], message, ["dataset", "limit"]);
  }
  if (evaluation.split === "validation" && dataset.validation === 0) {
    const message = "to evaluate on the validation split, hold out examples: set dataset.validation above 0";
    refuse(["evaluation", "split"], message, ["dataset", "validation"]);
  }
}

function checkViews(job: Job, refuse: Refuse): void {
  for (const stage of ["teach", "distil"] as const) {
    for (const view of ["shift", "flip"] as const) {
      if (job.dataset.kind === "csv" && job[stage]?.views[view])
        refuse([stage, "views", view], "needs images, and csv has none");
    }
  }
}

/** All that say how many classes there are say the same, and a cnn has images. */
function checkModels(job: Job, refuse: Refuse): void {
  const classesOf = {
    dataset: job.dataset.classes,
    teacher: classesGiven(job.teacher),
    student: classesGiven(job.student),
  };
  for (const role of ["teacher", "student"] as const) {
    if (job.dataset.kind === "csv" && "blocks" in job[role])
      refuse([role, "kind"], "cnn needs images, and csv has none");
    const earlier = role === "teacher" ? (["dataset"] as const) : (["dataset", "teacher"] as const);
    const other = earlier.find((part) => classesOf[part] !== undefined && classesOf[part] !== classesOf[role]);
    if (classesOf[role] === undefined || other === undefined) continue;
    const message = `the ${role} has ${classesOf[role]} classes, the ${other} ${classesOf[other]}: they must be equal`;
    refuse([role, "classes"], message, [other, "classes"]);
  }
}

function classesGiven(spec: TeacherSpec): number | undefined {
  return "classes" in spec ? spec.classes : undefined;
}
