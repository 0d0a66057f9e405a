/** The states of jobs and workers, as status and metrics show them. */
export const jobStates = [
  "gathering",
  "paused",
  "recovering",
  "readying",
  "running",
  "exporting",
  "ending",
  "ended",
] as const;
export type JobState = (typeof jobStates)[number];

export const workerStates = ["preparing", "joining", "waiting", "building", "working", "leaving"] as const;
export type WorkerState = (typeof workerStates)[number];
