/** How a job ends: done, failed or stopped; its workers are told, and waited for as long as patience lasts. */
import { LimbeckError, type LimbeckErrorCode } from "../core/errors.ts";
import type { ProgressEvent, ProgressEventBody } from "../core/events.ts";
import type { Report } from "../core/report.ts";
import type { Active, Effect, Ending, Next, Outcome, Plan, StopOrder } from "./state.ts";

export function announce(atMs: number, body: ProgressEventBody): Effect {
  const event: ProgressEvent = { ...body, atMs };
  return { kind: "announce", event };
}

export function fail(state: Active | Ending, atMs: number, code: LimbeckErrorCode, message: string): Next {
  return end(state, atMs, { kind: "failed", error: new LimbeckError(code, message) });
}

export function stopped({ why, again }: StopOrder): Outcome {
  return { kind: "stopped", why, ...(again && { again }) };
}

/** Tells every worker to stop, and why. The event that says how the job ended is announced when they have left. */
export function end(state: Active | Ending, atMs: number, outcome: Outcome): Next {
  const { workers, term } = state;
  const why = reasonOf(outcome);
  const again = outcome.kind === "stopped" && outcome.again && { again: true };
  // A job that was stopped, or failed, can be resumed from where it was.
  const record: Effect[] =
    outcome.kind === "done"
      ? [
          // First, for it is refused to who leads no more: the report lies in a folder that its successor may write, too.
          { kind: "journal", record: { kind: "ended", report: outcome.report } },
          { kind: "record", report: outcome.report },
        ]
      : [];
  const stops = workers.map(
    ({ session }): Effect => ({ kind: "send", session, message: { term, stop: { why, ...again }, body: "stop" } }),
  );
  const [next, ...effects] = awaitLeaving({ kind: "ending", workers, term, sinceMs: atMs, outcome }, atMs);
  return [next, ...record, ...stops, ...effects];
}

/** A worker has left a job that is over. */
export function left(state: Ending, atMs: number, session: number): Next {
  return awaitLeaving({ ...state, workers: state.workers.filter((worker) => worker.session !== session) }, atMs);
}

/** L7. Workers that do not leave are not waited for forever; their sessions break when the coordinator closes. */
export function tickEnding({ patience }: Plan, state: Ending, atMs: number): Next {
  if (atMs - state.sinceMs <= patience.leaveMs) return [state];
  return awaitLeaving({ ...state, workers: [] }, atMs);
}

function awaitLeaving(state: Ending, atMs: number): Next {
  if (state.workers.length > 0) return [state];
  const { outcome } = state;
  return [{ kind: "ended", outcome }, announce(atMs, lastEvent(outcome))];
}

/** By its journal the job is done. Whoever decided that may have died before its report, or its last event, was written. */
export function concluded(report: Report, atMs: number, events: readonly ProgressEvent[]): Next {
  const outcome: Outcome = { kind: "done", report };
  const told = events.at(-1)?.kind === "job-finished" ? [] : [announce(atMs, lastEvent(outcome))];
  return [{ kind: "ended", outcome }, { kind: "record", report }, ...told];
}

function lastEvent(outcome: Outcome): ProgressEventBody {
  switch (outcome.kind) {
    case "done":
      return { kind: "job-finished", report: outcome.report };
    case "failed":
      return { kind: "job-failed", code: outcome.error.code, message: outcome.error.message };
    case "stopped":
      return { kind: "job-stopped", why: outcome.why };
  }
}

export function reasonOf(outcome: Outcome): string {
  switch (outcome.kind) {
    case "done":
      return "the job is done";
    case "failed":
      return `the job failed: ${outcome.error.message}`;
    case "stopped":
      return outcome.why;
  }
}
