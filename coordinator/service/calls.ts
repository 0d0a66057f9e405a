/** What people ask of the service: a job more, or another course for one that it has. Each call gets one answer. */
import { LimbeckError } from "../../core/errors.ts";
import { isOver, type JobAction } from "../../core/jobstate.ts";
import { counted } from "../../core/words.ts";
import { type Deciding, record } from "./deciding.ts";
import { checkSubmission, earlierSubmission, findJob, idOf, isOfRequest } from "./naming.ts";
import type { Event, JobPhase, QueuedJob, Submission } from "./vocabulary.ts";

type Call<K extends Event["kind"]> = Extract<Event, { kind: K }>;

export function submit(deciding: Deciding, event: Call<"submitted">): void {
  const { draft, effects, atMs } = deciding;
  const { call, name, digest, priority, job, sources, by, request } = event;
  const submission = { name, digest, priority, job, sources, by, request };
  answering(deciding, call, () => {
    checkSubmission(submission);
    const { same, ended } = earlierSubmission(draft.jobs, submission);
    if (same) {
      effects.push({ kind: "answer", call, ...toldOfEarlier(same, submission) });
      return;
    }
    checkRoom(draft.jobs, event.mostJobs);
    const number = draft.submissions + 1;
    const id = idOf(name, number);
    if (draft.jobs.has(id)) throw new LimbeckError("unavailable", `${id} is taken: submit it again`);
    record(deciding, { kind: "submitted", id, number, atMs, ...submission });
    const told = ended ? `; it is a new job: ${ended.id}, the same, ${pastOf(ended)}` : "";
    const why = `${draft.jobs.get(id)!.why}${told}`;
    effects.push({ kind: "answer", call, job: id, phase: "queued", isNew: true, why });
  });
}

/** Those that are over are bounded, too: the oldest are forgotten. */
function checkRoom(jobs: ReadonlyMap<string, QueuedJob>, most: number): void {
  let live = 0;
  for (const { phase } of jobs.values()) if (!isOver(phase.kind)) live++;
  if (live < most) return;
  const message = `the service is full: ${counted(live, "job")} wait, run or are paused, and ${most} may: submit it when some are over, or start its coordinators with a higher --max-jobs`;
  throw new LimbeckError("unavailable", message);
}

function toldOfEarlier(job: QueuedJob, submission: Submission) {
  const { id, phase, why } = job;
  const told = { job: id, phase: phase.kind };
  // Nobody has heard the answer.
  if (isOfRequest(job, submission)) return { ...told, isNew: true, why };
  const again = phase.kind === "cancelling" ? "; when it has ended, submit it again to run it again" : "";
  const { priority } = job;
  const isOther = priority !== submission.priority && !isOver(phase.kind);
  const kept = isOther ? `; its priority is ${priority}, and stays that` : "";
  return { ...told, isNew: false, why: `it was submitted before, and is ${phase.kind}: ${why}${again}${kept}` };
}

function pastOf({ phase: { kind } }: QueuedJob): string {
  return kind === "failed" ? "has failed" : "was cancelled";
}

/** What was asked for already is answered as if it had just been done. */
export function control(deciding: Deciding, event: Call<"controlled">): void {
  const { draft, effects, atMs } = deciding;
  const { call, action } = event;
  answering(deciding, call, () => {
    const job = findJob(draft.jobs, event.job);
    if (!job) throw noJob(event.job, action);
    const reason = told(action, event.why);
    if (action === "delete") {
      checkIsOver(job);
      effects.push({ kind: "forget", job: job.id, why: reason });
      record(deciding, { kind: "forgotten", job: job.id });
      effects.push({ kind: "answer", call, job: job.id, phase: job.phase.kind, isNew: false, why: reason });
      return;
    }
    const next = { cancel, pause, resume }[action](job, atMs);
    const turn = action === "resume" ? { turn: draft.turns + 1 } : {};
    if (next) record(deciding, { kind: "changed", job: job.id, phase: next, why: reason, atMs, ...turn });
    if (next && job.phase.kind === "running") effects.push({ kind: "stopJob", job: job.id, why: reason });
    const { id, phase, why } = draft.jobs.get(job.id)!;
    effects.push({ kind: "answer", call, job: id, phase: phase.kind, isNew: false, why });
  });
}

/** @param action what was to be done with it, if anything */
export function noJob(idOrName: string, action?: JobAction): LimbeckError {
  const message = `no job is called ${JSON.stringify(idOrName)}: limbeck list shows them`;
  const before = "; if the same was asked before and its answer was lost, that has deleted it";
  return new LimbeckError("usage", action === "delete" ? `${message}${before}` : message);
}

function answering({ effects }: Deciding, call: number, decide: () => void): void {
  try {
    decide();
  } catch (thrown) {
    if (!(thrown instanceof LimbeckError)) throw thrown;
    effects.push({ kind: "refuse", call, error: thrown });
  }
}

function told(action: JobAction, why: string): string {
  const done = { cancel: "cancelled", pause: "paused", resume: "resumed", delete: "deleted" }[action];
  return why === "" ? `it was ${done}` : `it was ${done}: ${why}`;
}

/** Before it is deleted. Throws `usage` where it is not. */
export function checkIsOver({ id, phase: { kind } }: QueuedJob): void {
  if (isOver(kind)) return;
  throw new LimbeckError("usage", `cannot delete ${id}: it is ${kind}; limbeck cancel ${id} ends it`);
}

/** The phase that the job comes into; null where it is there already. Throws `usage` where it cannot be. */
function cancel(job: QueuedJob, atMs: number): JobPhase | null {
  switch (job.phase.kind) {
    case "queued":
    case "paused":
      return { kind: "cancelled", endedMs: atMs, summary: null };
    case "running":
    case "pausing":
      return { kind: "cancelling" };
    case "cancelling":
    case "cancelled":
      return null;
    case "done":
    case "failed":
      throw over(job, "cancel");
  }
}

function pause(job: QueuedJob): JobPhase | null {
  switch (job.phase.kind) {
    case "queued":
      return { kind: "paused" };
    case "running":
      return { kind: "pausing", next: "paused" };
    case "pausing":
      return job.phase.next === "queued" ? { kind: "pausing", next: "paused" } : null;
    case "paused":
      return null;
    case "cancelling":
    case "done":
    case "failed":
    case "cancelled":
      throw over(job, "pause");
  }
}

/** Those that wait already go before it: its turn is a new one. */
function resume(job: QueuedJob): JobPhase | null {
  switch (job.phase.kind) {
    case "queued":
    case "running":
      return null;
    case "pausing":
      return job.phase.next === "paused" ? { kind: "pausing", next: "queued" } : null;
    case "paused":
      return { kind: "queued" };
    case "cancelling":
    case "done":
    case "failed":
    case "cancelled":
      throw over(job, "resume");
  }
}

function over({ id, phase, why }: QueuedJob, action: JobAction): LimbeckError {
  const { kind } = phase;
  return new LimbeckError("usage", `cannot ${action} ${id}: it is ${kind}${isOver(kind) ? " already" : ""} (${why})`);
}
