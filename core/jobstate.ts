/** The states of a service's job, and what may be asked of one. */

export type EntryState = "queued" | "running" | "pausing" | "paused" | "cancelling" | "done" | "failed" | "cancelled";

export function isOver(state: EntryState): state is "done" | "failed" | "cancelled" {
  return state === "done" || state === "failed" || state === "cancelled";
}

export const jobActions = ["cancel", "pause", "resume", "delete"] as const;
export type JobAction = (typeof jobActions)[number];

export function isJobAction(text: string): text is JobAction {
  return (jobActions as readonly string[]).includes(text);
}
