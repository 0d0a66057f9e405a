/**
 * Who of the workers that came with the role auto is a teacher, and who a student. Fixed ones never turn. A worker that
 * turns gives up its place and joins as a new one of its other role (joining.ts), so the others never wait for what it
 * lacks; its replica was one of equals and is nobody's only one.
 */

import { type Job, studentRange, studentsGiven } from "../core/job.ts";
import { teacherParts } from "../core/teacherparts.ts";
import { counted } from "../core/words.ts";
import { announce } from "./ending.ts";
import { countOf, named } from "./members.ts";
import type { Role } from "./messages.ts";
import type { Course, Effect, Living, Plan, Worker } from "./state.ts";

/** What placing looks at. */
export type Placeable = Pick<Living, "workers" | "laneSeconds" | "servingSeconds" | "split"> & {
  readonly course: Course | null;
};

export interface Turned {
  readonly worker: string;
  readonly role: Role;
  readonly why: string;
}

export interface Placed {
  readonly workers: readonly Worker[];
  readonly turned: readonly Turned[];
}

const asTheyAre = ({ workers }: Placeable): Placed => ({ workers, turned: [] });

export function tellTurned(turned: readonly Turned[], atMs: number): Effect[] {
  return turned.map((each) => announce(atMs, { kind: "role-changed", ...each }));
}

/** The role of one that joins: what the job lacks. */
export function roleFor({ job }: Plan, { workers, course, split }: Placeable): Role {
  const present = workers.filter(({ leaving }) => leaving === null);
  const count = (role: Role) => present.filter((worker) => worker.role === role).length;
  if (course === null) return count("teacher") < job.workers.teachers ? "teacher" : "student";
  const { min, max } = studentRange(job);
  if (count("student") < min) return "student";
  const needed = teacherParts(job.teacher).length;
  const lacksTeacher = course.plan.soft !== null && count("teacher") < needed && !split.isWarm;
  return lacksTeacher || count("student") >= max ? "teacher" : "student";
}

/**
 * The roles as the next term needs them. Before the job begins: as many teachers as it begins with. In a stage without
 * soft targets all train. At the beginning of one with them: the teachers that the job begins with; later only what it
 * cannot do without, for what is best was measured (rolechange.ts).
 */
export function place({ job }: Plan, state: Placeable): Placed {
  const { course, split } = state;
  if (!state.workers.some(({ isAuto }) => isAuto)) return asTheyAre(state);
  const range = studentRange(job);
  if (course !== null && course.plan.soft === null) {
    const why = `${course.plan.stage} needs no teacher`;
    return turnWhile(job, state, { role: "student", why }, ({ students }) => students < range.max);
  }
  const { teachers } = job.workers;
  let placed = asTheyAre(state);
  if (course === null || !course.hasBegun) {
    const min = course === null ? studentsGiven(job.workers).min : range.min;
    const why = `${course?.plan.stage ?? "the job"} begins with ${counted(teachers, "teacher")}`;
    placed = turnWhile(
      job,
      state,
      { role: "student", why },
      (now) => now.teachers > teachers && now.students < range.max,
    );
    placed = turnWhile(
      job,
      { ...state, ...placed },
      { role: "teacher", why },
      (now) => now.teachers < teachers && now.students > min,
    );
  }
  if (course === null) return placed;
  const needed = teacherParts(job.teacher).length;
  const few = { role: "student", why: "too few students are left" } as const;
  placed = turnWhile(
    job,
    { ...state, ...placed },
    few,
    (now) => now.students < range.min && (now.teachers > needed || split.isWarm),
  );
  const none = { role: "teacher", why: needed === 1 ? "no teacher is left" : "too few teachers are left" } as const;
  const isNeeded = (now: Count) => now.teachers < needed && now.students > range.min && !split.isWarm;
  return turnWhile(job, { ...state, ...placed }, none, isNeeded);
}

interface Count {
  readonly students: number;
  readonly teachers: number;
}

/** @param state may carry those that have turned already */
function turnWhile(
  job: Job,
  state: Placeable & Partial<Placed>,
  { role, why }: { role: Role; why: string },
  isWanted: (now: Count) => boolean,
): Placed {
  let { workers, turned = [] } = state;
  for (;;) {
    const now = { students: countOf(workers, "student"), teachers: countOf(workers, "teacher") };
    const [next] = isWanted(now) ? turnable(job, { ...state, workers }, role) : [];
    if (!next) return { workers, turned };
    workers = turn(workers, next, role);
    turned = [...turned, { worker: next.name, role, why }];
  }
}

/**
 * How few and how many teachers there may be; none only where students that find none may wait for one, and one alone
 * can answer.
 */
export function bounds({ job }: Plan, state: Placeable): { readonly fewest: number; readonly most: number } {
  const [students, teachers] = [countOf(state.workers, "student"), countOf(state.workers, "teacher")];
  const { min, max } = studentRange(job);
  const fewer = Math.min(turnable(job, state, "student").length, Math.max(0, max - students));
  const more = Math.min(turnable(job, state, "teacher").length, Math.max(0, students - min));
  const needed = teacherParts(job.teacher).length;
  const least = needed > 1 || job.softTargets.onNoTeacher === "fail" ? needed : 0;
  return { fewest: Math.max(least, teachers - fewer), most: teachers + more };
}

/** So many teachers: the slowest of the other role turn first. */
export function placeTeachers({ job }: Plan, state: Placeable, teachers: number, why: string): Placed {
  const change = teachers - countOf(state.workers, "teacher");
  const role = change > 0 ? "teacher" : "student";
  const turning = turnable(job, state, role).slice(0, Math.abs(change));
  const workers = turning.reduce((all: readonly Worker[], each) => turn(all, each, role), state.workers);
  return { workers, turned: turning.map(({ name }) => ({ worker: name, role, why })) };
}

/** It gives up its place: it is in no stage until it has caught up with the others, or has the teacher. */
function turn(workers: readonly Worker[], { name }: Worker, role: Role): Worker[] {
  return workers.map((each) =>
    each.name === name ? { ...each, role, replicaOf: null, followsIn: 0, part: null } : each,
  );
}

/** Who may take the role, in the order in which they should; of equals the last by name, for the first leads. */
function turnable(job: Job, state: Placeable, to: Role): Worker[] {
  const { workers, course, laneSeconds, servingSeconds } = state;
  const from: Role = to === "teacher" ? "student" : "teacher";
  const seconds = from === "student" ? laneSeconds : servingSeconds;
  const slowest = (one: Worker, other: Worker) => (seconds.get(other.name) ?? 0) - (seconds.get(one.name) ?? 0);
  const present = named(workers, from);
  const free = present.filter((worker) => worker.isAuto && fits(job, course, worker, to)).reverse();
  if (from === "teacher") return free.sort(slowest);
  // The replica of the stage must stay with as many as train at least; one that has none is no loss.
  const isInStage = ({ replicaOf }: Worker) => course?.hasBegun === true && replicaOf === course.plan.stage;
  const { min } = studentRange(job);
  const spare = Math.max(0, present.filter(isInStage).length - min);
  const outside = free.filter((worker) => !isInStage(worker)).sort(slowest);
  return [...outside, ...free.filter(isInStage).sort(slowest).slice(0, spare)];
}

/** L1. All of a role compute equal bits. Who has not opened the dataset cannot train. */
function fits({ numerics }: Job, course: Course | null, { prepared }: Worker, role: Role): boolean {
  if (role === "student" && prepared!.dataset === null) return false;
  const wanted = course?.fingerprints[role] ?? "";
  return numerics === "fast" || wanted === "" || prepared!.engine.fingerprint === wanted;
}
