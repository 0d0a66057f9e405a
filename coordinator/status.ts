/** What /state shows: what the job does, what it waits for and why, and how its workers are. */
import { reasonOf } from "./ending.ts";
import type { Role } from "./messages.ts";
import type { Plan, State, Worker } from "./state.ts";
import { waitOf } from "./waiting.ts";

export const workerStates = ["preparing", "waiting", "building", "working", "leaving"] as const;
export type WorkerState = (typeof workerStates)[number];

export interface WorkerStatus {
  readonly worker: string;
  readonly role: Role;
  readonly state: WorkerState;
  readonly doing: string;
  readonly waitingFor: string;
  readonly step: number;
  readonly residentBytes: number;
  readonly lastHeartbeatMs: number;
  readonly address: string;
  readonly pid: number;
}

export interface JobStatus {
  readonly job: string;
  readonly state: State["kind"];
  /** null before the first term. */
  readonly stage: string | null;
  readonly term: number;
  /** Steps of the stage that all students have reported. */
  readonly step: number;
  readonly steps: number;
  readonly waitingFor: readonly string[];
  readonly why: string;
  /** Until the wait is given up. */
  readonly deadlineMs: number | null;
  readonly workers: readonly WorkerStatus[];
}

export function statusOf(plan: Plan, state: State, nowMs: number): JobStatus {
  const job = plan.job.name;
  const nothing = { job, stage: null, term: 0, step: 0, steps: 0, workers: [] };
  if (state.kind === "ended") {
    return { ...nothing, state: state.kind, waitingFor: [], why: reasonOf(state.outcome), deadlineMs: null };
  }
  const { for: waitingFor, why, limitMs } = waitOf(plan, state);
  const wait = { state: state.kind, waitingFor, why, deadlineMs: Math.max(0, state.sinceMs + limitMs - nowMs) };
  const workers = state.workers.map((worker) => workerStatus(state, worker, nowMs));
  if (state.kind === "gathering" || state.kind === "ending") {
    return { ...nothing, ...wait, term: state.term, workers };
  }
  const { stage, steps } = state.plan;
  return { job, ...wait, stage, term: state.term, step: commonStep(state), steps, workers };
}

function commonStep(state: Exclude<State, { kind: "gathering" | "ending" | "ended" }>): number {
  if (state.kind === "readying") return 0;
  if (state.kind === "exporting") return state.plan.steps;
  return Math.min(...state.deal.map(({ worker }) => state.tally.paces.get(worker)?.step ?? 0));
}

function workerStatus(state: Exclude<State, { kind: "ended" }>, worker: Worker, nowMs: number): WorkerStatus {
  const { name, role, status, heardMs, address, pid } = worker;
  const { doing, waitingFor, step, residentBytes } = status;
  const told = { doing, waitingFor, step, residentBytes };
  return {
    worker: name,
    role,
    state: workerState(state, worker),
    ...told,
    lastHeartbeatMs: nowMs - heardMs,
    address,
    pid,
  };
}

export function workerState(state: Exclude<State, { kind: "ended" }>, { name, prepared }: Worker): WorkerState {
  switch (state.kind) {
    case "gathering":
      return prepared ? "waiting" : "preparing";
    case "readying": {
      const isMember = state.teachers.includes(name) || state.deal.some(({ worker }) => worker === name);
      return isMember && !state.ready.has(name) ? "building" : "waiting";
    }
    case "running": {
      const isStudent = state.deal.some(({ worker }) => worker === name);
      return state.teachers.includes(name) || (isStudent && !state.tally.done.has(name)) ? "working" : "waiting";
    }
    case "exporting":
      return name === state.deal[0]!.worker ? "working" : "waiting";
    case "ending":
      return "leaving";
  }
}
