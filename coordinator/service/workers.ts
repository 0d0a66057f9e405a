/** Workers come, go, and change from one job to another: with every change they join again. */
import { type Deciding, seat } from "./deciding.ts";
import type { Event, Place, QueuedJob, Refusals } from "./vocabulary.ts";

/** For a worker that its job let go to join again. */
const betweenMs = 10_000;

/** Of those that were refused last; by another name one is another worker. */
const mostRefused = 10_000;

/** Back to the job that it works in, where that lives; else it is free. */
export function joined(deciding: Deciding, event: Extract<Event, { kind: "workerJoined" }>): void {
  const { draft, effects, atMs } = deciding;
  const { session, worker, instance, role } = event;
  for (const other of draft.seats.values()) {
    if (other.worker === worker) draft.seats.delete(other.session);
  }
  if (draft.refusals.get(worker)?.instance !== instance) draft.refusals.delete(worker);
  const job = draft.jobs.get(event.job);
  const isBack = job !== undefined && hasLoop(job) && !draft.refusals.get(worker)?.jobs.has(job.id);
  const place: Place = isBack ? { kind: "working", job: job.id } : { kind: "idle" };
  const why = isBack ? `it works in ${job.id}` : "";
  draft.seats.set(session, { session, worker, instance, role, place, sinceMs: atMs, why });
  if (isBack) effects.push({ kind: "give", session, job: job.id, why });
}

function hasLoop({ phase: { kind } }: QueuedJob): boolean {
  return kind === "running" || kind === "pausing" || kind === "cancelling";
}

export function gone({ draft }: Deciding, session: number): void {
  if (draft.seats.get(session)?.place.kind !== "between") draft.seats.delete(session);
}

export function released(deciding: Deciding, session: number): void {
  const place = deciding.draft.seats.get(session)?.place;
  if (place?.kind !== "working" && place?.kind !== "leaving") return;
  const untilMs = deciding.atMs + betweenMs;
  seat(deciding, session, { kind: "between", untilMs }, `${place.job} let it go, and it joins again`);
}

/** It may be of use to other jobs; to this one only as a new process. */
export function refused(deciding: Deciding, session: number, why: string): void {
  const { draft } = deciding;
  const its = draft.seats.get(session);
  if (its?.place.kind !== "working" && its?.place.kind !== "leaving") return;
  const { worker, instance } = its;
  const jobs = new Map(draft.refusals.get(worker)?.jobs).set(its.place.job, why);
  const refusals: Refusals = { instance, jobs };
  draft.refusals.delete(worker);
  draft.refusals.set(worker, refusals);
  const [oldest] = draft.refusals.keys();
  if (draft.refusals.size > mostRefused && oldest !== undefined) draft.refusals.delete(oldest);
  seat(deciding, session, { kind: "idle" }, "");
}

/** Those that did not join again in time have gone. */
export function missed({ draft, atMs }: Deciding): void {
  for (const { session, place } of draft.seats.values()) {
    if (place.kind === "between" && place.untilMs <= atMs) draft.seats.delete(session);
  }
}
