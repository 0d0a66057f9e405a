/** Workers come, go, and change from one job to another: with every change they join again. */
import { type Deciding, seat } from "./deciding.ts";
import type { Event, Place, QueuedJob, Refusals } from "./vocabulary.ts";

/** For a worker that its job let go to join again. */
const betweenMs = 10_000;

/** Of those that were refused last; by another name one is another worker. */
const mostRefused = 10_000;

/**
 * Back to the job that it works in, where that lives. A process takes one job (TensorFlow's threads are set once), and
 * goes on computing for it until it is told to stop: with another job there, it joins again without that; else it is free.
 */
export function joined(deciding: Deciding, event: Extract<Event, { kind: "workerJoined" }>): void {
  const { draft, effects, atMs } = deciding;
  const { session, worker, instance, role } = event;
  for (const other of draft.seats.values()) {
    if (other.worker === worker) draft.seats.delete(other.session);
  }
  if (draft.refusals.get(worker)?.instance !== instance) draft.refusals.delete(worker);
  const job = draft.jobs.get(event.job);
  const sit = (place: Place, why: string) =>
    void draft.seats.set(session, { session, worker, instance, role, place, sinceMs: atMs, why });
  if (event.job === "") {
    sit({ kind: "idle" }, "");
    return;
  }
  const isRefused = draft.refusals.get(worker)?.jobs.has(event.job) === true;
  if (job && hasLoop(job) && !isRefused) {
    const why = `it works in ${job.id}`;
    sit({ kind: "working", job: job.id }, why);
    effects.push({ kind: "give", session, job: job.id, why });
    return;
  }
  const state = job === undefined ? "is not there" : isRefused ? "has refused it" : `is ${job.phase.kind}`;
  const why = `${event.job}, for which it worked, ${state}`;
  sit({ kind: "between", untilMs: atMs + betweenMs }, why);
  effects.push({ kind: "sendOn", session, why });
}

/** It is decided about. */
export function hasLoop({ phase: { kind } }: QueuedJob): boolean {
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
