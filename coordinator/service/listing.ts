/** What lists and the page show of the service: its jobs with why they wait, and its workers. */
import type { JobEntry } from "../../core/jobentry.ts";
import { type Claims, claim, type Lack } from "./claims.ts";
import { countText, fewest, haveText } from "./needs.ts";
import type { Place, QueuedJob, State, WorkerRole } from "./vocabulary.ts";

/** What the queue knows of it; how far one is that runs, its run knows. */
export type ListedJob = Omit<JobEntry, "stage" | "step" | "steps" | "samplesPerSecond">;

export interface ListedWorker {
  readonly worker: string;
  readonly role: WorkerRole;
  readonly place: Place["kind"];
  /** Empty where it is in none. */
  readonly job: string;
  readonly why: string;
}

/** Those that run, then those that wait in the order of their turns, then the others, the newest first. */
export function listJobs(state: State, atMs: number): ListedJob[] {
  const claims = claim(state, atMs);
  const place = new Map(claims.order.map(({ id }, at) => [id, at]));
  const workers = new Map<string, string[]>();
  for (const { worker, place } of state.seats.values()) {
    if (place.kind !== "working" && place.kind !== "leaving") continue;
    const names = workers.get(place.job);
    if (names) names.push(worker);
    else workers.set(place.job, [worker]);
  }
  return [...state.jobs.values()]
    .map((job) => ({ job, rank: rank(job), place: place.get(job.id) ?? Number.MAX_SAFE_INTEGER }))
    .sort((one, other) => one.rank - other.rank || one.place - other.place || other.job.number - one.job.number)
    .map(({ job }) => {
      const { id, name, priority, phase, by, submittedMs, startedMs, sinceMs } = job;
      return {
        ...{ id, name, priority, state: phase.kind, why: whyOf(job, claims), by, submittedMs, startedMs, sinceMs },
        endedMs: "endedMs" in phase ? phase.endedMs : null,
        workers: workers.get(id) ?? [],
        remainingSeconds: state.courses.get(id)?.measured?.remainingSeconds ?? null,
        summary: "summary" in phase ? phase.summary : null,
      };
    });
}

export function listWorkers({ seats }: State): ListedWorker[] {
  return [...seats.values()]
    .map(({ worker, role, place, why }) => {
      return { worker, role, place: place.kind, job: "job" in place ? place.job : "", why };
    })
    .sort((one, other) => (one.worker < other.worker ? -1 : 1));
}

function rank({ phase }: QueuedJob): number {
  switch (phase.kind) {
    case "running":
    case "pausing":
    case "cancelling":
      return 0;
    case "queued":
      return 1;
    case "paused":
      return 2;
    case "done":
    case "failed":
    case "cancelled":
      return 3;
  }
}

function whyOf(job: QueuedJob, { lacks, chosen }: Claims): string {
  const lack = lacks.get(job.id);
  if (job.phase.kind === "queued" && lack) return `it waits for ${countText(fewest(job))}: ${leftText(lack)}`;
  const away = chosen.get(job.id)?.filter(({ place }) => place.kind !== "idle").length ?? 0;
  if (job.phase.kind === "queued" && away > 0) return `it begins when ${away} of its workers are let go by other jobs`;
  return job.why;
}

function leftText({ left, refused }: Lack): string {
  const these = left.student + left.teacher + left.auto;
  const beside = refused > 0 ? `; it has refused ${refused} more` : "";
  return `${these === 0 ? "none is" : `${haveText(left)} ${these === 1 ? "is" : "are"}`} left for it${beside}`;
}
