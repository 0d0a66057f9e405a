/**
 * The service's journal: a job changes by a record and by nothing else, so what is decided and what is replayed are the
 * same. Workers are in no record: they come back by themselves.
 */
import { LimbeckError } from "../../core/errors.ts";
import { isOver } from "../../core/jobstate.ts";
import { serviceProblem } from "./recordschema.ts";
import type { Course, QueuedJob, Refusals, Seat, ServiceRecord, State } from "./vocabulary.ts";

/** A state while one event is decided: nobody else has it yet. */
export interface Draft {
  readonly jobs: Map<string, QueuedJob>;
  submissions: number;
  turns: number;
  readonly seats: Map<number, Seat>;
  readonly courses: Map<string, Course>;
  readonly refusals: Map<string, Refusals>;
  settlesMs: number;
}

export function draftOf(state: State): Draft {
  const { jobs, seats, courses, refusals } = state;
  return {
    ...state,
    jobs: new Map(jobs),
    seats: new Map(seats),
    courses: new Map(courses),
    refusals: new Map(refusals),
  };
}

/** Of a cluster that has never had a job. */
const nothing: State = {
  jobs: new Map(),
  submissions: 0,
  turns: 0,
  seats: new Map(),
  courses: new Map(),
  refusals: new Map(),
  settlesMs: 0,
};

const newCourse: Course = { measured: null, shortSinceMs: null, movedMs: null, uneasySinceMs: null };

/**
 * What a restarted service, or the next leader, knows before its workers come back.
 * @throws LimbeckError `corrupt` where a record is not as a coordinator writes it, by its number
 */
export function replay(records: readonly ServiceRecord[]): State {
  const problem = serviceProblem(records);
  if (problem !== null)
    throw new LimbeckError("corrupt", `the journal of the service holds what no coordinator wrote: ${problem}`);
  const draft = draftOf(nothing);
  for (const record of records) apply(draft, record);
  return draft;
}

/** Fewer records that give the same. */
export function snapshot({ submissions, turns, jobs }: State): ServiceRecord[] {
  return [
    { kind: "counted", submissions, turns },
    ...[...jobs.values()].map((job) => ({ kind: "kept", job }) as const),
  ];
}

/** How much of a journal these take, in records without code, of some KiB each: code counts for each KiB. */
export function weightOf(records: readonly ServiceRecord[]): number {
  return records.reduce((weight, record) => {
    const sources = record.kind === "submitted" ? record.sources : record.kind === "kept" ? record.job.sources : [];
    return sources.reduce((sum, { text }) => sum + Math.ceil(text.length / 1024), weight + 1);
  }, 0);
}

/** A record of a job that is not there changes nothing. */
export function apply(draft: Draft, record: ServiceRecord): void {
  switch (record.kind) {
    case "counted":
      draft.submissions = record.submissions;
      draft.turns = record.turns;
      return;
    case "submitted": {
      const { kind: _, atMs, ...submission } = record;
      draft.submissions = record.number;
      draft.turns++;
      const waits = { phase: { kind: "queued" }, why: "it was submitted", startedMs: null } as const;
      keep(draft, { ...submission, ...waits, turn: draft.turns, submittedMs: atMs, sinceMs: atMs });
      return;
    }
    case "changed": {
      const job = draft.jobs.get(record.job);
      if (!job) return;
      const { phase, why, atMs, turn = job.turn } = record;
      const startedMs = phase.kind === "running" ? (job.startedMs ?? atMs) : job.startedMs;
      const sources = isOver(phase.kind) ? [] : job.sources;
      draft.turns = Math.max(draft.turns, turn);
      keep(draft, { ...job, phase, why, turn, startedMs, sources, sinceMs: atMs });
      return;
    }
    case "kept":
      keep(draft, record.job);
      return;
    case "forgotten":
      draft.jobs.delete(record.job);
      return;
  }
}

function keep(draft: Draft, job: QueuedJob): void {
  draft.jobs.set(job.id, job);
  if (job.phase.kind !== "running") draft.courses.delete(job.id);
  else if (!draft.courses.has(job.id)) draft.courses.set(job.id, newCourse);
  if (isOver(job.phase.kind)) forgive(draft, job.id);
}

/** Nobody will be given to a job that is over. */
function forgive({ refusals }: Draft, job: string): void {
  for (const [worker, { instance, jobs }] of refusals) {
    if (!jobs.has(job)) continue;
    const others = new Map([...jobs].filter(([other]) => other !== job));
    if (others.size === 0) refusals.delete(worker);
    else refusals.set(worker, { instance, jobs: others });
  }
}
