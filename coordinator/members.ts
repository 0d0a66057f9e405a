/** Who may be a member of the next term. */

import type { DealtLanes } from "../core/events.ts";
import type { Job } from "../core/job.ts";
import { studentRange } from "../core/studentrange.ts";
import type { Role } from "./messages.ts";
import type { Bench, Living, Recovering, Worker } from "./state.ts";

// By number where names end in one: the lead is student-2 before student-10, in whatever order they joined.
const byName = new Intl.Collator("en", { numeric: true });

/** Those of a role that are prepared and mean to stay, by name. */
export function named(workers: readonly Worker[], role: Role): Worker[] {
  return workers
    .filter((worker) => worker.role === role && worker.prepared !== null && worker.leaving === null)
    .sort((a, b) => byName.compare(a.name, b.name));
}

export function countOf(workers: readonly Worker[], role: Role): number {
  let count = 0;
  for (const worker of workers)
    if (worker.role === role && worker.prepared !== null && worker.leaving === null) count++;
  return count;
}

/** By worker. A deal never changes, and is asked about with nearly every message. */
const dealtBy = new WeakMap<readonly DealtLanes[], ReadonlyMap<string, DealtLanes>>();

/** The lanes of a worker; undefined where it has none. */
export function dealtTo(deal: readonly DealtLanes[], worker: string): DealtLanes | undefined {
  let byWorker = dealtBy.get(deal);
  if (!byWorker) {
    byWorker = new Map(deal.map((dealt) => [dealt.worker, dealt]));
    dealtBy.set(deal, byWorker);
  }
  return byWorker.get(worker);
}

/** Students that may train now. Slow ones rest, unless there would be too few without them. */
export function candidates(
  workers: readonly Worker[],
  bench: ReadonlyMap<string, Bench>,
  { atMs, min }: { atMs: number; min: number },
): Worker[] {
  const students = named(workers, "student");
  const rests = ({ name }: Worker) => (bench.get(name)?.untilMs ?? 0) > atMs;
  const rested = students.filter((student) => !rests(student));
  if (rested.length >= min) return rested;
  return students.filter((student) => !rests(student) || bench.get(student.name)!.why === "slow");
}

/**
 * Of the candidates those that train, by name: in the middle of a stage only who is in it already, for the others
 * would hold the rest up; but never fewer than the job wants.
 */
export function trainees(job: Job, able: readonly Worker[], isInStage: (worker: Worker) => boolean): Worker[] {
  const { min, max } = studentRange(job);
  const inStage = able.filter(isInStage);
  const wanted = inStage.length >= min ? inStage : [...inStage, ...able.filter((each) => !isInStage(each))];
  const most = new Set(wanted.slice(0, max));
  return able.filter((each) => most.has(each));
}

/** What every state of a job that goes on has, and nothing else; its wait begins now. */
export function livingOf(state: Omit<Living, "sinceMs">, atMs: number): Living {
  const { workers, term, startedMs, tickedMs, bench, laneSeconds, servingSeconds, split } = state;
  return { workers, term, startedMs, tickedMs, bench, laneSeconds, servingSeconds, split, sinceMs: atMs };
}

/** Members of the last term that have not come back, prepared, in the life they had then. */
export function absentees({ workers, expected }: Recovering): string[] {
  const isBack = (name: string, instance: string) =>
    workers.some((worker) => worker.name === name && worker.instance === instance && worker.prepared !== null);
  return [...expected].flatMap(([name, instance]) => (isBack(name, instance) ? [] : [name]));
}
