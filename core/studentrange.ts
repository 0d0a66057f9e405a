/** How many students a job trains with: as its file says it, and as it may come to be. */
import type { Job } from "./job.ts";

export interface StudentRange {
  readonly min: number;
  readonly max: number;
}

/** As the job file has them: a job begins with the fewest. */
export function studentsGiven({ students }: { students: number | StudentRange }): StudentRange {
  return typeof students === "number" ? { min: students, max: students } : students;
}

/** How many students a job trains with, at least and at most. Where roles are by themselves, as many as lanes. */
export function studentRange({ workers, lanes }: Pick<Job, "workers" | "lanes">): StudentRange {
  return workers.roles === "auto" ? { min: 1, max: lanes.count } : studentsGiven(workers);
}
