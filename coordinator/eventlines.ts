/** The coordinator's log: what it decides and learns, a line each; steps and what workers do from moment to moment are for metrics. */
import { isDecision, type ProgressEvent } from "../core/events.ts";
import type { Log } from "../proto/telemetry/log.ts";
import type { State } from "./state.ts";

type Level = "info" | "warn" | "error";

const levels: Partial<Record<ProgressEvent["kind"], Level>> = {
  "job-failed": "error",
  "replica-diverged": "error",
  "worker-lost": "warn",
  "worker-refused": "warn",
  "worker-warned": "warn",
  "job-paused": "warn",
  "checkpoint-passed-over": "warn",
  "step-skipped": "warn",
  "payload-damaged": "warn",
};

/** @param state after the event: it has the term and the step where the event has not */
export function logEvent(log: Log, event: ProgressEvent, state: State): void {
  if (!isDecision(event)) return;
  const { kind, atMs: _, ...facts } = event;
  const { why, rest } = reasonOf(facts);
  log[levels[kind] ?? "info"]({ event: kind, ...standing(state), ...rest }, why);
}

function standing(state: State): { term: number; step: number; stage?: string } {
  if (state.kind === "ended" || state.kind === "ending") return { term: "term" in state ? state.term : 0, step: 0 };
  const { course, term } = state;
  if (!course) return { term, step: 0 };
  return { term, stage: course.plan.stage, step: Math.max(0, ...course.tally.steps.values()) };
}

/** What says why, and of the rest what is short: a report, a deal or findings are in their own files. */
function reasonOf(facts: object): { why: string | undefined; rest: Record<string, unknown> } {
  // The job's name is in every line.
  const { why, message, name: _, ...others } = facts as { why?: string; message?: string; name?: string };
  const isShort = ([, value]: [string, unknown]) => typeof value !== "object";
  return { why: why ?? message, rest: Object.fromEntries(Object.entries(others).filter(isShort)) };
}
