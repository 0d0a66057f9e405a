/** The states of a service's job. */

export type EntryState = "queued" | "running" | "pausing" | "paused" | "cancelling" | "done" | "failed" | "cancelled";

export function isOver(state: EntryState): state is "done" | "failed" | "cancelled" {
  return state === "done" || state === "failed" || state === "cancelled";
}
