/** What the pages show of the service, from what it lists: so much of it as a page can show. */
import type { JobEntry } from "../../core/jobentry.ts";
import { isOver } from "../../core/jobstate.ts";
import type {
  ClusterView,
  JobLine,
  JobProgress,
  ModelErrors,
  Shown,
  ShownLeader,
  WorkerLine,
} from "../../core/live/cluster.ts";
import { planStages } from "../../core/stages.ts";
import { hostOf, reachedAt } from "../../proto/endpoint.ts";
import { entries } from "./jobsrpc.ts";
import { type ListedWorker, listWorkers } from "./listing.ts";
import type { Standing } from "./main.ts";
import type { JobSummary, QueuedJob } from "./vocabulary.ts";

/** What a page asks for. */
export interface Asked {
  /** Id of the job whose page it is; empty: the list of all. */
  readonly job: string;
  /** What jobs and workers are to have in their lines; empty: anything. */
  readonly find: string;
  readonly findWorker: string;
}

export interface ViewParts {
  readonly standing: Standing;
  /** This coordinator. */
  readonly own: ShownLeader;
  readonly atMs: number;
}

const most = 100;
/** Beside a job on its page. */
const mostBeside = 8;
const nothing: Shown<never> = { lines: [], found: 0, all: 0 };

export function clusterView({ standing, own, atMs }: ViewParts, asked: Asked): ClusterView {
  const { name } = own;
  if (standing.kind === "standby") {
    const lists = { running: nothing, waiting: nothing, over: nothing, workers: nothing, asked: null };
    return { name, standing: "standby", leader: standing.leader && reached(standing.leader), ...lists };
  }
  const { reign, leadership } = standing;
  const listed = entries(reign, atMs);
  const newestFirst = (one: JobEntry, other: JobEntry) => (other.endedMs ?? 0) - (one.endedMs ?? 0);
  const line = (entry: JobEntry) => jobLine(entry, reign.state.jobs.get(entry.id)!);
  const part = (jobs: readonly JobEntry[], mostShown: number) => {
    const shown = first(jobs, hasJob(asked.find), mostShown);
    return { ...shown, lines: shown.lines.map(line) };
  };
  const are = (isMeant: (state: JobEntry["state"]) => boolean) => listed.filter(({ state }) => isMeant(state));
  const isList = asked.job === "";
  const askedEntry = isList ? undefined : listed.find(({ id }) => id === asked.job);
  return {
    ...{ name, standing: leadership.holds() ? "leading" : "waiting", leader: own },
    running: part(are(isRunning), isList ? most : mostBeside),
    waiting: part(are(isWaiting), isList ? most : 0),
    over: part(are(isOver).sort(newestFirst), isList ? most : 0),
    workers: first(
      listWorkers(reign.state),
      hasWorker(asked.findWorker),
      isList ? most : 0,
    ) satisfies Shown<WorkerLine>,
    asked: askedEntry ? line(askedEntry) : null,
  };
}

function isRunning(state: JobEntry["state"]): boolean {
  return state === "running" || state === "pausing" || state === "cancelling";
}

function isWaiting(state: JobEntry["state"]): boolean {
  return state === "queued" || state === "paused";
}

function first<T>(all: readonly T[], isFound: (item: T) => boolean, mostShown: number): Shown<T> {
  const found = all.filter(isFound);
  return { lines: found.slice(0, mostShown), found: found.length, all: all.length };
}

function hasJob(text: string): (entry: JobEntry) => boolean {
  const wanted = text.toLowerCase();
  return ({ id, state, by }) => wanted === "" || `${id} ${state} ${by}`.toLowerCase().includes(wanted);
}

function hasWorker(text: string): (worker: ListedWorker) => boolean {
  const wanted = text.toLowerCase();
  return ({ worker, role, place, job }) =>
    wanted === "" || `${worker} ${role} ${place} ${job}`.toLowerCase().includes(wanted);
}

/** One that listens on all addresses is where its gRPC is told to be. */
export function reached({ name, address, http }: ShownLeader): ShownLeader {
  return { name, address, http: reachedAt(http, hostOf(address)) };
}

function jobLine(entry: JobEntry, job: QueuedJob): JobLine {
  const { id, state, priority, by, sinceMs, summary } = entry;
  const told = state === "done" ? summary?.["summary"] : null;
  return {
    ...{ id, state, why: typeof told === "string" && told !== "" ? told : entry.why, priority, by, sinceMs },
    progress: isRunning(state) ? progressOf(entry, job) : null,
    errors: summary && errorsOf(summary),
  };
}

function progressOf(
  { stage, step, steps, samplesPerSecond, remainingSeconds, workers }: JobEntry,
  { job }: QueuedJob,
): JobProgress {
  const stages = planStages(job, 1).map((each) => each.stage as string);
  const before = stage === null ? 0 : Math.max(0, stages.indexOf(stage));
  const share = (before + (steps > 0 ? Math.min(1, step / steps) : 0)) / stages.length;
  return {
    ...{ share: Number(share.toFixed(4)), stage, step, steps, samplesPerSecond: Math.round(samplesPerSecond) },
    ...{ remainingSeconds: remainingSeconds === null ? null : rounded(remainingSeconds), workers: workers.length },
  };
}

/** As `duration` shows it. */
function rounded(seconds: number): number {
  return seconds < 10 ? Number(seconds.toFixed(1)) : Math.round(seconds);
}

function errorsOf({ teacherErrors, studentErrors, baselineErrors }: JobSummary): ModelErrors | null {
  if (typeof teacherErrors !== "number" || typeof studentErrors !== "number") return null;
  const baseline = typeof baselineErrors === "number" ? baselineErrors : null;
  return { teacher: teacherErrors, student: studentErrors, baseline };
}
