/** Jobs that are over, as a reign has them. */
import type { QueuedJob } from "../../../coordinator/service/vocabulary.ts";
import { testJob } from "../jobs.ts";

/** One that ran, here or elsewhere, and is done. */
export function ended(id: string, changes: Partial<QueuedJob> = {}): QueuedJob {
  const submission = { name: id, digest: "d", priority: 0, job: testJob(), sources: [], by: "anna@lab", request: "" };
  const phase = { kind: "done", endedMs: 3, summary: null } as const;
  const at = { submittedMs: 1, startedMs: 2, sinceMs: 3 };
  return { ...submission, id, number: 1, turn: 1, phase, why: "", ...at, ...changes };
}
