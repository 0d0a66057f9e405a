/** What /state shows: what the job does, what it waits for and why, and how its workers are. */
import type { JobRow } from "../core/live/message.ts";
import type { JobState, WorkerState } from "../core/shownstates.ts";
import { reasonOf } from "./ending.ts";
import type { Latest } from "./latest.ts";
import { dealtTo } from "./members.ts";
import type { Role } from "./messages.ts";
import type { Course, Living, Outcome, Plan, State, Worker } from "./state.ts";
import { waitOf } from "./waiting.ts";

/** A job that gathers after it has begun is paused. */
export function jobStateOf(state: State): JobState {
  return state.kind === "gathering" && state.course !== null ? "paused" : state.kind;
}

export interface WorkerStatus {
  readonly worker: string;
  readonly role: Role;
  /** The coordinator may give it another role. */
  readonly auto: boolean;
  readonly state: WorkerState;
  readonly doing: string;
  readonly waitingFor: string;
  readonly step: number;
  /** Soft targets it serves while it is asked, as last measured; null where it was not. */
  readonly servesPerSecond: number | null;
  readonly residentBytes: number;
  /** Of the stage, in which it had nothing to do but wait for teachers. */
  readonly secondsWaitedForTeachers: number;
  readonly lastHeartbeatMs: number;
  readonly address: string;
  /** host:port of its /metrics; empty where it has none. */
  readonly http: string;
  readonly pid: number;
  /** Computes with: a backend and its device; empty until it is prepared. */
  readonly engine: string;
  /** A student's share of the deal; `lanes` is 0 for who has none. */
  readonly firstLane: number;
  readonly lanes: number;
  /** As last measured; null where it was not. */
  readonly secondsPerLane: number | null;
  /** Examples whose soft targets a teacher was asked for, and that wait their turn. */
  readonly queuedExamples: number;
}

export interface JobStatus extends JobRow, Latest {
  /** How it ended, or is about to; null while it is alive. */
  readonly outcome: Outcome["kind"] | null;
  /** Until the wait is given up. */
  readonly deadlineMs: number | null;
  readonly split: SplitStatus | null;
  readonly workers: readonly WorkerStatus[];
  /** Where people and scripts look. */
  readonly http: Served;
}

export interface Served {
  /** host:port */
  readonly address: string;
  readonly paths: readonly string[];
}

/** Of a job in a stage with soft targets that has workers whose role the coordinator chooses; else null. */
export interface SplitStatus {
  readonly students: number;
  readonly teachers: number;
  readonly why: string;
  /** By number of teachers: examples a second, as last measured. */
  readonly examplesPerSecond: Readonly<Record<string, number>>;
}

export interface Beside {
  readonly nowMs: number;
  readonly latest: Latest;
  readonly http: Served;
}

export function statusOf(plan: Plan, state: State, { nowMs, latest, http }: Beside): JobStatus {
  const job = plan.job.name;
  const outcome = "outcome" in state ? state.outcome.kind : null;
  const always = { job, outcome, ...latest, http };
  const none = { stage: null, term: 0, step: 0, steps: 0, split: null, softTargets: null, workers: [] };
  const nothing = { ...always, ...none };
  if (state.kind === "ended") {
    return { ...nothing, state: jobStateOf(state), waitingFor: [], why: reasonOf(state.outcome), deadlineMs: null };
  }
  const { for: waitingFor, why, limitMs } = waitOf(plan, state);
  const wait = { state: jobStateOf(state), waitingFor, why, deadlineMs: Math.max(0, state.sinceMs + limitMs - nowMs) };
  const workers = state.workers.map((worker) => workerStatus(state, worker, nowMs));
  const course = state.kind === "ending" ? null : state.course;
  if (!course) return { ...nothing, ...wait, term: state.term, workers };
  const { stage, steps } = course.plan;
  return {
    ...always,
    ...wait,
    stage,
    term: state.term,
    step: stepOf(state, course),
    steps,
    split: splitStatus(state),
    softTargets: course.plan.soft ? course.tally.softTargets : null,
    workers,
  };
}

function splitStatus(state: State): SplitStatus | null {
  if (state.kind !== "readying" && state.kind !== "running") return null;
  const { deal, teachers, split, course, workers } = state;
  if (!course.plan.soft || !workers.some(({ isAuto }) => isAuto)) return null;
  const examplesPerSecond = Object.fromEntries(split.rates);
  return { students: deal.length, teachers: teachers.length, why: split.why, examplesPerSecond };
}

function stepOf(state: State, { plan, tally }: Course): number {
  if (state.kind === "exporting") return plan.steps;
  return Math.max(0, ...tally.steps.values());
}

function workerStatus(state: Exclude<State, { kind: "ended" }>, worker: Worker, nowMs: number): WorkerStatus {
  const { name, role, isAuto, status, heardMs, address, http, pid, prepared } = worker;
  const { doing, waitingFor, step, residentBytes, queuedExamples } = status;
  const dealt = "deal" in state ? dealtTo(state.deal, name) : undefined;
  const measured = (of: "laneSeconds" | "servingSeconds") =>
    of in state ? (state as Living)[of].get(name) : undefined;
  const serving = measured("servingSeconds");
  const told = { doing, waitingFor, step, residentBytes };
  return {
    worker: name,
    role,
    auto: isAuto,
    state: workerState(state, worker),
    ...told,
    servesPerSecond: serving ? 1 / serving : null,
    secondsWaitedForTeachers: ("course" in state && state.course?.tally.waited.get(name)) || 0,
    lastHeartbeatMs: nowMs - heardMs,
    address,
    http,
    pid,
    engine: prepared ? `${prepared.engine.backend} on ${prepared.engine.device}` : "",
    firstLane: dealt?.firstLane ?? 0,
    lanes: dealt?.lanes ?? 0,
    secondsPerLane: measured("laneSeconds") ?? null,
    queuedExamples,
  };
}

export function workerState(state: Exclude<State, { kind: "ended" }>, worker: Worker): WorkerState {
  const { name, prepared, leaving } = worker;
  if (state.kind === "ending" || leaving !== null) return "leaving";
  if (prepared === null) return "preparing";
  if (state.kind === "gathering" || state.kind === "recovering") return "waiting";
  const isStudent = dealtTo(state.deal, name) !== undefined;
  const isMember = isStudent || state.teachers.includes(name);
  if (!isMember) return worker.followsIn === state.term ? "joining" : "waiting";
  switch (state.kind) {
    case "readying":
      return state.ready.has(name) ? "waiting" : "building";
    case "running":
      return isStudent && state.course.tally.done.has(name) ? "waiting" : "working";
    case "exporting":
      return name === state.exporter ? "working" : "waiting";
  }
}
