/**
 * Who may join: workers introduce themselves, load their engine and open the dataset; what they found must agree. Who
 * came as auto and cannot open it is a teacher for good, where teachers are sent their inputs.
 */
import { LimbeckError } from "../core/errors.ts";
import type { DatasetInfo__Output } from "../proto/gen/limbeck/v1/DatasetInfo.ts";
import { lose } from "./departure.ts";
import { announce } from "./ending.ts";
import { proceed } from "./gather.ts";
import { tendNewcomers } from "./joining.ts";
import { greeting } from "./letters.ts";
import type { MessageOf, Role } from "./messages.ts";
import { roleFor } from "./placement.ts";
import { rejoined } from "./recovery.ts";
import type { Active, Effect, Next, Plan, Prepared, Recovering, Refusal, State, Worker } from "./state.ts";

/** A worker introduces itself. One that does not belong here is refused with the reason; the job goes on without it. */
export function greet(plan: Plan, state: State, atMs: number, session: number, hello: MessageOf<"hello">): Next {
  const { worker: name, instance } = hello;
  const refused = (as: Refusal, error: LimbeckError) => refuse(state, atMs, { session, worker: name, as, error });
  if (state.kind === "ending" || state.kind === "ended") {
    return refused("late", new LimbeckError("unavailable", `${name} comes too late: the job is over`));
  }
  if (hello.build !== plan.build) {
    const message = `${name} is Limbeck ${hello.build}, the coordinator ${plan.build}: they must be equal`;
    return refused("misfit", new LimbeckError("usage", message));
  }
  const before = state.workers.find((worker) => worker.name === name);
  if (before) {
    const isSameLife = before.instance === instance;
    // Its restarted successor may be quicker than the news of its death; one that is well keeps its name.
    const isWell = !isSameLife && atMs - before.heardMs <= 2 * plan.heartbeatMs;
    const taken = new LimbeckError("usage", `a worker named ${name} has joined already: choose another --name`);
    if (isWell) return refused("misfit", taken);
    // What either side said last may be lost with the session that broke, so it is over, as if that news had come first.
    const why = isSameLife ? "its session broke off" : "another of its name has joined, and it is silent";
    const [without, ...effects] = lose(plan, state, atMs, before, why);
    const [next, ...more] = greet(plan, without, atMs, session, hello);
    return [next, ...effects, ...more];
  }
  return welcome(plan, state, atMs, session, hello);
}

interface Refused {
  readonly session: number;
  readonly worker: string;
  readonly as: Refusal;
  readonly error: LimbeckError;
}

function refuse(state: State, atMs: number, { session, worker, as, error }: Refused): Next {
  const told = announce(atMs, { kind: "worker-refused", worker, why: error.message });
  return [state, { kind: "refuse", session, as, error }, ...(state.kind === "ended" ? [] : [told])];
}

function welcome(plan: Plan, state: Active, atMs: number, session: number, hello: MessageOf<"hello">): Next {
  const { worker: name, instance, address, host, http, pid, holds } = hello;
  const wasMember = state.kind === "recovering" && state.expected.get(name) === instance;
  const isBack = wasMember && hello.term === state.term;
  const isAuto = hello.role === "auto";
  const role = hello.role !== "auto" ? hello.role : isBack ? roleInTerm(state, name) : roleFor(plan, state);
  const served = { servedExamples: 0, servingSeconds: 0, queuedExamples: 0, needsTeacher: false, serverAway: false };
  const status = { doing: "preparing", waitingFor: "", step: 0, residentBytes: 0, ...served };
  const identity = { session, name, instance, role, isAuto, address, host, http, pid };
  const fresh = { heardMs: atMs, status, peakResidentBytes: 0, prepared: null, followsIn: 0, leaving: null };
  const replicaOf = isBack ? state.course.plan.stage : null;
  // Which part is told only where there are several.
  const part = wasMember && state.teachers.includes(name) ? (state.parts[name] ?? 0) : null;
  const joined: Worker = { ...identity, ...fresh, holds, replicaOf, part };
  return [
    { ...state, workers: [...state.workers, joined], sinceMs: atMs },
    announce(atMs, { kind: "worker-joined", worker: name, role, address, pid }),
    greeting(plan, joined, { term: isBack ? state.term : 0, rejoined: isBack }),
  ];
}

/** Of a member that comes back to its term. */
function roleInTerm({ teachers }: Recovering, name: string): Role {
  return teachers.includes(name) ? "teacher" : "student";
}

/** A worker's engine is up and its dataset open. What does not fit those before it may not take part. */
export function prepared(plan: Plan, state: Active, atMs: number, came: Worker, found: Prepared): Next {
  const { worker, told: turned } = placedByDataset(came, found, atMs);
  const misfit = objection(plan, state, worker, found);
  if (misfit?.isFatal) {
    const workers = state.workers.filter(({ session }) => session !== worker.session);
    const { session, name } = worker;
    return refuse({ ...state, workers }, atMs, { session, worker: name, as: "misfit", error: misfit.error });
  }
  const { backend, device, why } = found.engine;
  const workers = state.workers.map((each) => (each.name === worker.name ? { ...worker, prepared: found } : each));
  const isPrepared = announce(atMs, { kind: "worker-prepared", worker: worker.name, backend, device, why });
  const told: Effect[] = [isPrepared, ...turned];
  if (misfit) told.push(announce(atMs, { kind: "worker-warned", worker: worker.name, why: misfit.error.message }));
  const [next, ...effects] = employed(plan, { ...state, workers, sinceMs: atMs }, atMs);
  return [next, ...told, ...effects];
}

/** Without the dataset it may only serve, if its role is not fixed. */
function placedByDataset(worker: Worker, { dataset, noDataset }: Prepared, atMs: number) {
  const told: Effect[] = [];
  if (dataset !== null || !worker.isAuto) return { worker, told };
  const { name } = worker;
  told.push(announce(atMs, { kind: "worker-warned", worker: name, why: `it can only be a teacher: ${noDataset}` }));
  if (worker.role === "teacher") return { worker, told };
  const why = "it cannot open the dataset";
  told.push(announce(atMs, { kind: "role-changed", worker: name, role: "teacher", why }));
  return { worker: { ...worker, role: "teacher" as const }, told };
}

/** One more is prepared: what it changes depends on what the job is at. */
function employed(plan: Plan, state: Active, atMs: number): Next {
  switch (state.kind) {
    case "gathering":
      return proceed(plan, state, atMs);
    case "recovering":
      return rejoined(plan, state, atMs);
    case "running":
      return tendNewcomers(plan, state, atMs);
    case "readying":
    case "exporting":
      return [state]; // Looked after when the term has begun, or with the next stage.
  }
}

function objection(
  { job }: Plan,
  state: Active,
  worker: Worker,
  found: Prepared,
): { error: LimbeckError; isFatal: boolean } | null {
  const { name, role } = worker;
  if (found.dataset === null && (role === "student" || job.softTargets.inputs === "ids")) {
    const message = `${name} cannot be a ${role}: ${found.noDataset}`;
    return { error: new LimbeckError("bad_data", message), isFatal: true };
  }
  const isOther = (each: Worker) => each.prepared !== null && each.name !== name;
  const opener = state.workers.find((each) => isOther(each) && each.prepared!.dataset !== null);
  const whose = opener?.name ?? "the job";
  const dataset = state.kind === "gathering" && !state.course ? opener?.prepared?.dataset : datasetOf(state);
  const difference = dataset && found.dataset ? datasetDifference(dataset, found.dataset) : null;
  if (difference) {
    const error = new LimbeckError("bad_data", `${whose} and ${name} opened different datasets: ${difference}`);
    return { error, isFatal: true };
  }
  // L1. A teacher's device may differ from a student's, for only teachers compute soft targets.
  const peer = state.workers.find((each) => isOther(each) && each.role === role);
  const theirs = peer?.prepared?.engine.fingerprint ?? state.course?.fingerprints[role];
  const ours = found.engine.fingerprint;
  if (!theirs || theirs === ours) return null;
  const described = `${peer?.name ?? "the job"} and ${name} do not compute equal bits: their engines are ${theirs} and ${ours} (${found.engine.device})`;
  const isFatal = job.numerics === "exact";
  const message = isFatal ? `${described}; numerics: exact needs equal ones` : described;
  return { error: new LimbeckError("diverged", message), isFatal };
}

function datasetOf(state: Active): DatasetInfo__Output | undefined {
  return state.course?.dataset;
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
