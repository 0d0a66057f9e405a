/** One event while it is decided: the state as far as it is changed, and what is to be done. */
import { isOver } from "../../core/jobstate.ts";
import { apply, type Draft } from "./records.ts";
import type { Effect, JobPhase, Place, QueuedJob, ServiceRecord } from "./vocabulary.ts";

export interface Deciding {
  readonly draft: Draft;
  readonly effects: Effect[];
  readonly atMs: number;
}

/** It is over, and had begun: it needs its own journal no more. */
export function isToRetire({ phase, startedMs }: QueuedJob): boolean {
  return isOver(phase.kind) && startedMs !== null;
}

/** A job changes by what the journal keeps of it. */
export function record({ draft, effects }: Deciding, record: ServiceRecord): void {
  apply(draft, record);
  effects.push({ kind: "journal", record });
  if (record.kind !== "changed") return;
  const { job } = record;
  if (isToRetire(draft.jobs.get(job)!)) effects.push({ kind: "retire", job });
}

export function change(deciding: Deciding, { id }: QueuedJob, phase: JobPhase, why: string): void {
  record(deciding, { kind: "changed", job: id, phase, why, atMs: deciding.atMs });
}

export function seat({ draft, atMs }: Deciding, session: number, place: Place, why: string): void {
  draft.seats.set(session, { ...draft.seats.get(session)!, place, sinceMs: atMs, why });
}
