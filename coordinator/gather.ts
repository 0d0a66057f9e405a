/** Gathering: workers are missing, before the job begins or in a pause. When enough are there, a term opens. */
import { studentRange, studentsGiven } from "../core/job.ts";
import { planStages, type Stage } from "../core/stages.ts";
import { isApart, teacherParts } from "../core/teacherparts.ts";
import { counted } from "../core/words.ts";
import { announce } from "./ending.ts";
import { candidates, countOf, named } from "./members.ts";
import type { Role } from "./messages.ts";
import { place, tellTurned } from "./placement.ts";
import { newSplit } from "./split.ts";
import type { Course, Gathering, Next, Plan } from "./state.ts";
import { emptyTally } from "./tally.ts";
import { openTerm } from "./term.ts";

/** The first state of a job. */
export function open({ job }: Plan, atMs: number): Next {
  const { name, seed, numerics, lanes, workers } = job;
  const stages: readonly Stage[] = planStages(job, 1).map(({ stage }) => stage);
  const started = { kind: "job-started", name, seed, numerics, lanes: lanes.count, laneBatch: lanes.batch } as const;
  const counts = { students: studentsGiven(workers).min, teachers: workers.teachers };
  const times = { startedMs: atMs, sinceMs: atMs, tickedMs: atMs };
  const state: Gathering = {
    kind: "gathering",
    workers: [],
    term: 0,
    ...times,
    bench: new Map(),
    laneSeconds: new Map(),
    servingSeconds: new Map(),
    split: newSplit("", ""),
    course: null,
    rollbackBelow: null,
    why: "the job begins when all its workers have joined and are prepared",
  };
  return [state, announce(atMs, { ...started, ...counts, stages })];
}

/** Begins, or goes on, where enough workers are prepared. */
export function proceed(plan: Plan, before: Gathering, atMs: number): Next {
  const placed = place(plan, before);
  const told = tellTurned(placed.turned, atMs);
  const state = told.length === 0 ? before : { ...before, workers: placed.workers };
  if (isLacking(plan, state)) return [state, ...told];
  const [next, ...effects] = beginOrGoOn(plan, state, atMs);
  return [next, ...told, ...effects];
}

function beginOrGoOn(plan: Plan, state: Gathering, atMs: number): Next {
  const { min } = studentRange(plan.job);
  if (candidates(state.workers, state.bench, { atMs, min }).length < min) return [state];
  if (state.course === null) return settle(plan, state, atMs);
  const isNew = !state.course.hasBegun;
  const why = isNew ? began(plan, state) : "enough students are there again";
  const { course, rollbackBelow } = state;
  const reason = isNew ? "start" : "resumed";
  return openTerm(plan, { ...state, course }, { atMs, why, reason, planned: false, rollbackBelow });
}

function settle(plan: Plan, state: Gathering, atMs: number): Next {
  const { job } = plan;
  const [student, teacher] = [named(state.workers, "student")[0]!, named(state.workers, "teacher")[0]];
  const { engine } = student.prepared!;
  const dataset = student.prepared!.dataset!; // Without one nobody is a student.
  const fingerprints = { student: engine.fingerprint, teacher: teacher?.prepared?.engine.fingerprint ?? "" };
  const stages = planStages(job, dataset.trainExamples);
  const fresh = { dataset, fingerprints, stages, finished: [], doctor: [], uncacheable: "" };
  const course: Course = { ...fresh, plan: stages[0]!, openedMs: atMs, hasBegun: false, tally: emptyTally };
  const why = began(plan, state);
  const [next, ...effects] = openTerm(plan, { ...state, course }, { atMs, why, reason: "start", planned: false });
  const { classNames: _, ...opened } = dataset;
  return [
    next,
    { kind: "journal", record: { kind: "settled", dataset, fingerprints } },
    announce(atMs, { kind: "dataset-opened", ...opened }),
    ...effects,
  ];
}

function began({ job }: Plan, { workers, course }: Gathering): string {
  const stage = course?.plan.stage ?? planStages(job, 1)[0]!.stage;
  const [students, teachers] = [countOf(workers, "student"), countOf(workers, "teacher")];
  return `${stage} begins with ${counted(students, "student")} and ${counted(teachers, "teacher")}`;
}

const roles = ["student", "teacher"] as const;

function wantedOf({ job }: Plan, { course }: Gathering): Readonly<Record<Role, number>> {
  const isNew = course === null;
  const { min } = isNew ? studentsGiven(job.workers) : studentRange(job);
  return { student: min, teacher: isNew ? job.workers.teachers : 0 };
}

/** Asked for each of a thousand workers as it gets prepared: the names are for who reads them. */
function isLacking(plan: Plan, state: Gathering): boolean {
  const wanted = wantedOf(plan, state);
  return roles.some((role) => countOf(state.workers, role) < wanted[role]);
}

/**
 * What has yet to join or get prepared, in words. A job begins when all who have joined are prepared; one that is
 * paused waits for the fewest students it may have, and its students wait for teachers themselves.
 */
export function missing(plan: Plan, state: Gathering): string[] {
  const { job } = plan;
  const wanted = wantedOf(plan, state);
  return roles.flatMap((role) => {
    const there = state.workers.filter((worker) => worker.role === role && worker.leaving === null);
    const lacking = wanted[role] - there.length;
    const idle = role === "teacher" && isApart(job.teacher) ? teacherParts(job.teacher).slice(there.length) : [];
    const whom = idle.length > 0 ? ` (nobody is there for ${idle.map(({ field }) => field).join(" and ")})` : "";
    if (lacking > 0) return [`${counted(lacking, role)} to join${whom}`];
    const unprepared = there.filter(({ prepared }) => prepared === null);
    const isEnough = there.length - unprepared.length >= wanted[role];
    return isEnough ? [] : unprepared.map(({ name }) => `${name} to get prepared`);
  });
}
