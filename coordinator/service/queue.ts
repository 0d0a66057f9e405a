/**
 * The service's whole control flow, pure: `decide(state, ...events) -> [state, ...effects]`. What is decided about a job
 * is a record first; who works for whom follows from all that is known (allotment.ts), once for all that happened at once.
 */
import { counted } from "../../core/words.ts";
import { allot } from "./allotment.ts";
import { control, submit } from "./calls.ts";
import { change, type Deciding, record, seat } from "./deciding.ts";
import { draftOf } from "./records.ts";
import type { Effect, Event, JobSummary, Next, QueuedJob, State } from "./vocabulary.ts";
import { gone, joined, missed, refused, released } from "./workers.ts";

/** For the workers of running jobs to come back to a service that was started on its records. */
const settleMs = 10_000;
/** Jobs that are over are forgotten when there are more. Not by their age: one clock that is wrong would forget them all. */
export const keptJobs = 1_000;

/** @param events what has happened since the last decision, in order */
export function decide(state: State, ...events: readonly Event[]): Next {
  const draft = draftOf(state);
  const effects: Effect[] = [];
  for (const event of events) happen({ draft, effects, atMs: event.atMs }, event);
  // What jobs say of themselves, often and many, is looked at with the next tick.
  const last = events.findLast(({ kind }) => kind !== "jobReported");
  const evens = events.some(({ kind }) => kind === "tick");
  if (last) carryOut({ draft, effects, atMs: last.atMs }, { evens });
  return [draft, ...effects];
}

function happen(deciding: Deciding, event: Event): void {
  switch (event.kind) {
    case "led":
      lead(deciding);
      break;
    case "submitted":
      submit(deciding, event);
      break;
    case "controlled":
      control(deciding, event);
      break;
    case "workerJoined":
      joined(deciding, event);
      break;
    case "workerGone":
      gone(deciding, event.session);
      break;
    case "workerReleased":
      released(deciding, event.session);
      break;
    case "workerRefused":
      refused(deciding, event.session, event.why);
      break;
    case "jobEnded":
      ended(deciding, event);
      break;
    case "jobReported":
      reported(deciding, event);
      break;
    case "tick":
      missed(deciding);
      forgetOld(deciding);
      break;
  }
}

function reported({ draft }: Deciding, event: Extract<Event, { kind: "jobReported" }>): void {
  const course = draft.courses.get(event.job);
  const { most, students, remainingSeconds, waitedShare } = event;
  const measured = { most, students, remainingSeconds, waitedShare };
  if (course) draft.courses.set(event.job, { ...course, measured });
}

/** Running jobs go on from their own records. What was about to stop has stopped, without a last checkpoint. */
function lead(deciding: Deciding): void {
  const { draft, effects, atMs } = deciding;
  for (const job of draft.jobs.values()) {
    const { id, phase } = job;
    if (phase.kind === "running") {
      effects.push({ kind: "startJob", job: id, begun: true, why: "it ran when the service went down" });
      draft.settlesMs = atMs + settleMs;
    } else if (phase.kind === "pausing" || phase.kind === "cancelling") {
      stopped(deciding, job, `${job.why}; the service went down before a last checkpoint was told of`);
    }
  }
}

function ended(deciding: Deciding, event: Extract<Event, { kind: "jobEnded" }>): void {
  const { draft, atMs } = deciding;
  const { outcome, why, summary } = event;
  const job = draft.jobs.get(event.job);
  if (!job) return;
  const { kind } = job.phase;
  if (kind !== "running" && kind !== "pausing" && kind !== "cancelling") return;
  if (outcome === "stopped") stopped(deciding, job, kind === "running" ? why : job.why, summary);
  else change(deciding, job, { kind: outcome, endedMs: atMs, summary }, why);
  for (const each of draft.seats.values()) {
    const { place } = each;
    if ((place.kind === "working" || place.kind === "leaving") && place.job === job.id) {
      released(deciding, each.session);
    }
  }
}

/** As it was asked for; one that stopped without being asked is cancelled. */
function stopped(deciding: Deciding, job: QueuedJob, why: string, summary: JobSummary | null = null): void {
  const cancelled = { kind: "cancelled", endedMs: deciding.atMs, summary } as const;
  change(deciding, job, job.phase.kind === "pausing" ? { kind: job.phase.next } : cancelled, why);
}

/** Forgotten by the store first: a service that goes down between the two does it again. */
function forgetOld(deciding: Deciding): void {
  const { draft, effects } = deciding;
  const over: { readonly id: string; readonly endedMs: number }[] = [];
  for (const { id, phase } of draft.jobs.values()) {
    if ("endedMs" in phase) over.push({ id, endedMs: phase.endedMs });
  }
  over.sort((one, other) => one.endedMs - other.endedMs);
  const tooMany = Math.max(0, over.length - keptJobs);
  for (const { id } of over.slice(0, tooMany)) {
    effects.push({ kind: "forget", job: id, why: `${counted(keptJobs, "job")} ended after it` });
    record(deciding, { kind: "forgotten", job: id });
  }
}

/** Who works for whom, now that something has happened. */
function carryOut(deciding: Deciding, { evens }: { readonly evens: boolean }): void {
  const { draft, effects, atMs } = deciding;
  const allotment = allot(draft, atMs, { evens });
  for (const [id, course] of allotment.courses) draft.courses.set(id, course);
  for (const { job, why } of allotment.stops) {
    change(deciding, draft.jobs.get(job)!, { kind: "pausing", next: "queued" }, why);
    effects.push({ kind: "stopJob", job, why });
  }
  for (const { job, why } of allotment.starts) {
    const queued = draft.jobs.get(job)!;
    change(deciding, queued, { kind: "running" }, why);
    effects.push({ kind: "startJob", job, begun: queued.startedMs !== null, why });
  }
  for (const {
    seat: { session },
    job,
    why,
  } of allotment.gives) {
    seat(deciding, session, { kind: "working", job }, why);
    effects.push({ kind: "give", session, job, why });
  }
  for (const {
    seat: { session },
    job,
    why,
  } of allotment.takes) {
    seat(deciding, session, { kind: "leaving", job }, why);
    effects.push({ kind: "take", session, job, why });
  }
  for (const [session, why] of allotment.idle) {
    const idle = draft.seats.get(session)!;
    if (idle.why === why) continue;
    draft.seats.set(session, { ...idle, why });
    effects.push({ kind: "idle", session, why });
  }
}
