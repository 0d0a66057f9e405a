/** Gathering: the workers a job asks for join, load their engine and open the dataset; what they found must agree. */
import { LimbeckError } from "../core/errors.ts";
import { planStages, type Stage } from "../core/stages.ts";
import type { DatasetInfo__Output } from "../proto/gen/limbeck/v1/DatasetInfo.ts";
import { announce, fail } from "./ending.ts";
import type { MessageOf } from "./messages.ts";
import type { Gathering, Next, Plan, Prepared, State, Worker } from "./state.ts";
import { openTerm } from "./term.ts";

/** The first state of a job. */
export function open({ job }: Plan, atMs: number): Next {
  const { name, seed, numerics, lanes, workers } = job;
  const stages: readonly Stage[] = planStages(job, 1).map(({ stage }) => stage);
  const started = { kind: "job-started", name, seed, numerics, lanes: lanes.count, laneBatch: lanes.batch } as const;
  return [
    { kind: "gathering", workers: [], term: 0, startedMs: atMs, sinceMs: atMs, tickedMs: atMs, complaint: null },
    announce(atMs, { ...started, ...workers, stages }),
  ];
}

/** A worker introduces itself. One that does not belong here is refused with the reason; the job goes on without it. */
export function greet(plan: Plan, state: State, atMs: number, session: number, hello: MessageOf<"hello">): Next {
  const error = objection(plan, state, hello);
  if (error || state.kind !== "gathering") {
    return error ? [state, { kind: "refuse", session, error }] : [state];
  }
  const { worker: name, role, address, host, pid } = hello;
  const status = { doing: "preparing", waitingFor: "", step: 0, residentBytes: 0 };
  const identity = { session, name, role, address, host, pid };
  const joined: Worker = { ...identity, heardMs: atMs, status, peakResidentBytes: 0, prepared: null };
  const { job, jobFolder, runFolder, heartbeatMs } = plan;
  const welcome = { job: JSON.stringify(job), jobFolder, runFolder, heartbeatMs };
  return [
    { ...state, workers: [...state.workers, joined], sinceMs: atMs },
    announce(atMs, { kind: "worker-joined", worker: name, role, address, pid }),
    { kind: "send", session, message: { term: 0, welcome, body: "welcome" } },
  ];
}

function objection({ job, build }: Plan, state: State, hello: MessageOf<"hello">): LimbeckError | null {
  const { worker, role } = hello;
  if (hello.build !== build) {
    const message = `${worker} is Limbeck ${hello.build}, the coordinator ${build}: they must be equal`;
    return new LimbeckError("unavailable", message);
  }
  if (state.kind === "ending" || state.kind === "ended") {
    return new LimbeckError("unavailable", `${worker} comes too late: the job is over`);
  }
  if (state.workers.some(({ name }) => name === worker)) {
    return new LimbeckError("usage", `a worker named ${worker} has joined already: choose another --name`);
  }
  const wanted = wantedOf(job.workers, role);
  if (state.workers.filter((other) => other.role === role).length >= wanted) {
    return new LimbeckError(
      "unavailable",
      `${worker} is one too many: the job asks for ${counted(wanted, role)} and has them`,
    );
  }
  return null;
}

/** A worker's engine is up and its dataset open. */
export function prepared(plan: Plan, state: Gathering, atMs: number, worker: Worker, found: Prepared): Next {
  const before = state.workers.filter((other) => other.prepared !== null && other.name !== worker.name);
  const workers = state.workers.map((other) => (other.name === worker.name ? { ...worker, prepared: found } : other));
  const { backend, device, why } = found.engine;
  const told = announce(atMs, { kind: "worker-prepared", worker: worker.name, backend, device, why });
  const next: Gathering = { ...state, workers, sinceMs: atMs };
  for (const other of before) {
    const difference = datasetDifference(other.prepared!.dataset, found.dataset);
    if (difference) {
      const [failed, ...effects] = fail(
        next,
        atMs,
        "bad_data",
        `${other.name} and ${worker.name} opened different datasets: ${difference}`,
      );
      return [failed, told, ...effects];
    }
    // L1. A teacher's device may differ from a student's, for only teachers compute soft targets.
    if (plan.job.numerics !== "exact" || other.role !== worker.role) continue;
    const [theirs, ours] = [other.prepared!.engine.fingerprint, found.engine.fingerprint];
    if (theirs === ours) continue;
    const message = `${other.name} and ${worker.name} do not compute equal bits, which numerics: exact needs: their engines are ${theirs} and ${ours}`;
    const [failed, ...effects] = fail(next, atMs, "diverged", message);
    return [failed, told, ...effects];
  }
  const isComplete = missing(plan, next).length === 0 && workers.every((other) => other.prepared !== null);
  if (!isComplete) return [next, told];
  const [opened, ...effects] = settle(plan, next, atMs, found.dataset);
  return [opened, told, ...effects];
}

function settle({ job }: Plan, state: Gathering, atMs: number, dataset: DatasetInfo__Output): Next {
  const stages = planStages(job, dataset.trainExamples);
  const settled = { ...state, dataset, stages, finished: [] };
  const why = `${stages[0]!.stage} begins with ${counted(job.workers.students, "student")} and ${counted(job.workers.teachers, "teacher")}`;
  const [opened, ...effects] = openTerm(job, settled, { atMs, plan: stages[0]!, why });
  return [opened, announce(atMs, { kind: "dataset-opened", ...dataset }), ...effects];
}

function datasetDifference(theirs: DatasetInfo__Output, ours: DatasetInfo__Output): string | null {
  const words = {
    trainExamples: "training examples",
    evaluationExamples: "evaluation examples",
    classes: "classes",
    shape: "shape",
    digest: "digest",
  } as const;
  for (const [field, word] of Object.entries(words) as [keyof typeof words, string][]) {
    const [a, b] = [String(theirs[field]), String(ours[field])];
    if (a !== b) return `${word} ${a} and ${b}`;
  }
  return null;
}

/** What has yet to join, in words. */
export function missing({ job }: Plan, state: Gathering): string[] {
  return (["student", "teacher"] as const).flatMap((role) => {
    const lacking = wantedOf(job.workers, role) - state.workers.filter((worker) => worker.role === role).length;
    return lacking > 0 ? [`${counted(lacking, role)} to join`] : [];
  });
}

function wantedOf(workers: { students: number; teachers: number }, role: "student" | "teacher"): number {
  return role === "student" ? workers.students : workers.teachers;
}

function counted(count: number, role: "student" | "teacher"): string {
  return `${count} ${role}${count === 1 ? "" : "s"}`;
}
