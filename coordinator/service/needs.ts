/** How many workers a job needs and could use, and whether these will do: of fixed roles, and of those that take any. */
import { studentRange, studentsGiven } from "../../core/studentrange.ts";
import { counted } from "../../core/words.ts";
import type { Count, Course, QueuedJob, Seat, WorkerRole } from "./vocabulary.ts";

/** Workers by the role they came with. */
export type Have = Readonly<Record<WorkerRole, number>>;

export const nobody: Have = { student: 0, teacher: 0, auto: 0 };

export function haveOf(seats: Iterable<Seat>): Have {
  const have = { ...nobody };
  for (const { role } of seats) have[role]++;
  return have;
}

export function changed(have: Have, role: WorkerRole, by: 1 | -1): Have {
  return { ...have, [role]: have[role] + by };
}

/** A job begins with these, and does not run with fewer. */
export function fewest({ job }: QueuedJob): Count {
  return { students: studentsGiven(job.workers).min, teachers: job.workers.teachers };
}

/** As many as it can use: what it said last, else what its file says. */
export function most({ job }: QueuedJob, course: Course | undefined): Count {
  return course?.measured?.most ?? { students: studentRange(job).max, teachers: job.workers.teachers };
}

export function meets(have: Have, need: Count): boolean {
  const students = Math.max(0, need.students - have.student);
  const teachers = Math.max(0, need.teachers - have.teacher);
  return students + teachers <= have.auto;
}

/** One more of that role would have something to do. */
export function couldUse(have: Have, role: WorkerRole, most: Count): boolean {
  const students = Math.max(0, most.students - have.student);
  const teachers = Math.max(0, most.teachers - have.teacher);
  const isOpen = role === "student" ? students > 0 : role === "teacher" ? teachers > 0 : true;
  return isOpen && have.auto < students + teachers;
}

/** Of these, those that train once every teacher's place is taken. */
export function studentsOf(have: Have, { teachers }: Count): number {
  return have.student + Math.max(0, have.auto - Math.max(0, teachers - have.teacher));
}

/**
 * Some of these that meet the need, or null. Earlier ones are taken first; those of a fixed role leave the others for
 * what only they can do.
 */
export function choose(seats: readonly Seat[], need: Count): Seat[] | null {
  const have = haveOf(seats);
  if (!meets(have, need)) return null;
  let autos = have.auto - Math.max(0, need.teachers - have.teacher);
  const chosen = new Set<Seat>();
  for (const seat of seats) {
    if (chosen.size === need.students) break;
    if (seat.role === "student" || (seat.role === "auto" && autos-- > 0)) chosen.add(seat);
  }
  for (const seat of seats) {
    if (chosen.size === need.students + need.teachers) break;
    if (seat.role !== "student" && !chosen.has(seat)) chosen.add(seat);
  }
  return [...chosen];
}

/** `2 students and 1 teacher` */
export function countText({ students, teachers }: Count): string {
  const parts = [students > 0 ? counted(students, "student") : "", teachers > 0 ? counted(teachers, "teacher") : ""];
  return parts.filter((part) => part !== "").join(" and ") || "no worker";
}

/** `1 student, 2 of any role` */
export function haveText({ student, teacher, auto }: Have): string {
  const parts = [
    student > 0 ? counted(student, "student") : "",
    teacher > 0 ? counted(teacher, "teacher") : "",
    auto > 0 ? `${auto} of any role` : "",
  ];
  return parts.filter((part) => part !== "").join(", ") || "none";
}
