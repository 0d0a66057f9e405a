/**
 * The coordinator's whole control flow, pure: `step(plan, state, event) -> [state, ...effects]`. Time comes in with
 * the events; sockets, clocks and disks are the shell's (run.ts). No tensor comes by here (L5).
 */
import { LimbeckError } from "../core/errors.ts";
import { announce, end, fail, left, tickEnding } from "./ending.ts";
import { greet, prepared } from "./gather.ts";
import type { WorkerMessage } from "./messages.ts";
import { done, evaluated, exported, progressed } from "./stage.ts";
import type { Active, Ending, Event, Next, Plan, Running, State, Worker } from "./state.ts";
import { ready } from "./term.ts";
import { waitOf } from "./waiting.ts";

export function step(plan: Plan, state: State, event: Event): Next {
  const { atMs } = event;
  if (event.kind === "message" && event.message.kind === "hello") {
    return greet(plan, state, atMs, event.session, event.message);
  }
  if (state.kind === "ended") return [state];
  switch (event.kind) {
    case "message": {
      // A session that was refused, or has gone, has no worker.
      const worker = state.workers.find(({ session }) => session === event.session);
      if (!worker || state.kind === "ending") return [state];
      const heard = { ...worker, heardMs: atMs };
      return hear(plan, withWorker(state, heard), atMs, heard, event.message);
    }
    case "broken": {
      const worker = state.workers.find(({ session }) => session === event.session);
      if (!worker) return [state];
      return state.kind === "ending" ? left(state, atMs, event.session) : lose(state, atMs, worker, event.why);
    }
    case "tick":
      return state.kind === "ending" ? tickEnding(plan, state, atMs) : tick(plan, state, atMs);
    case "stop":
      return state.kind === "ending" ? [state] : end(state, atMs, { kind: "stopped", why: event.why });
    case "trouble":
      return trouble(state, atMs, event.error);
  }
}

/** What could not be performed may have been the order to stop, so it is given again. An earlier reason stays. */
function trouble(state: Active | Ending, atMs: number, error: LimbeckError): Next {
  const isOver = state.kind === "ending" && state.outcome.kind !== "done";
  return end(state, atMs, isOver ? state.outcome : { kind: "failed", error });
}

function withWorker<S extends Active>(state: S, worker: Worker): S {
  return { ...state, workers: state.workers.map((other) => (other.session === worker.session ? worker : other)) };
}

function hear(plan: Plan, state: Active, atMs: number, worker: Worker, message: WorkerMessage): Next {
  switch (message.kind) {
    case "heartbeat":
      return beat(state, atMs, worker, message);
    case "failed":
      return failed(state, atMs, worker, message);
    case "leaving":
      return lose(state, atMs, worker, `it leaves: ${message.why}`);
    default:
      // L3. What was meant for another term has no effect on this one.
      return message.term === state.term ? advance(plan, state, atMs, worker, message) : [state];
  }
}

function advance(plan: Plan, state: Active, atMs: number, worker: Worker, message: WorkerMessage): Next {
  if (state.kind !== "gathering" && "stage" in message && message.stage !== state.plan.stage) {
    const text = `${worker.name} reports on ${message.stage} in term ${state.term}, which is of ${state.plan.stage}`;
    return fail(state, atMs, "internal", text);
  }
  switch (message.kind) {
    case "prepared": {
      if (state.kind !== "gathering" || worker.prepared) return [state];
      const { engine, dataset } = message;
      return prepared(plan, state, atMs, worker, { engine, dataset });
    }
    case "ready":
      return state.kind === "readying" ? ready(state, atMs, worker, message) : [state];
    case "progress":
      return trains(state, worker) ? progressed(state, atMs, worker, message) : [state];
    case "evaluated":
      return trains(state, worker) ? evaluated(state, atMs, worker, message) : [state];
    case "stageDone":
      return trains(state, worker) ? done(plan, state, atMs, worker, message) : [state];
    case "exported": {
      const isDue = state.kind === "exporting" && worker.name === state.deal[0]!.worker;
      return isDue ? exported(plan, state, atMs, message) : [state];
    }
    case "checkpointed": {
      const { stage, step, folder, bytes } = message;
      return [state, announce(atMs, { kind: "checkpointed", stage, step, folder, bytes })];
    }
    case "hello":
    case "heartbeat":
    case "failed":
    case "leaving":
      return [state]; // Heard above, whatever their term.
  }
}

function trains(state: Active, { name }: Worker): state is Running {
  return state.kind === "running" && state.deal.some(({ worker }) => worker === name);
}

function beat(state: Active, atMs: number, worker: Worker, heartbeat: WorkerMessage & { kind: "heartbeat" }): Next {
  const { doing, waitingFor, residentBytes } = heartbeat;
  const peakResidentBytes = Math.max(worker.peakResidentBytes, residentBytes);
  const status = { doing, waitingFor, step: heartbeat.step, residentBytes };
  const next = withWorker(state, { ...worker, status, peakResidentBytes });
  if (doing === worker.status.doing && waitingFor === worker.status.waitingFor) return [next];
  return [next, announce(atMs, { kind: "worker-status", worker: worker.name, doing, waitingFor, residentBytes })];
}

/** What another worker's death looks like from the outside. */
const secondHand: ReadonlySet<string> = new Set(["unavailable", "timeout"]);

function failed(
  state: Active,
  atMs: number,
  { name }: Worker,
  { code, message }: WorkerMessage & { kind: "failed" },
): Next {
  if (!secondHand.has(code)) return fail(state, atMs, code, `${name}: ${message}`);
  const error = new LimbeckError(code, `${name}: ${message}`);
  return [{ ...state, complaint: state.complaint ?? { atMs, worker: name, error } }];
}

/** Today a job cannot go on without one of its workers. With recovery, this is where a new term is opened. */
function lose(state: Active, atMs: number, worker: Worker, why: string): Next {
  if (state.complaint?.worker === worker.name) {
    // It failed first and then went: that it went says nothing new.
    return end(state, atMs, { kind: "failed", error: state.complaint.error });
  }
  const without = { ...state, workers: state.workers.filter(({ session }) => session !== worker.session) };
  const [next, ...effects] = fail(without, atMs, "lost_worker", `${worker.name} is lost: ${why}`);
  return [next, announce(atMs, { kind: "worker-lost", worker: worker.name, why }), ...effects];
}

function tick(plan: Plan, state: Active, atMs: number): Next {
  const { silenceMs, blameMs } = plan.patience;
  // The coordinator itself slept (a suspended laptop, a paused process): the silence was its own.
  if (atMs - state.tickedMs > silenceMs / 2) {
    const workers = state.workers.map((worker) => ({ ...worker, heardMs: atMs }));
    return [{ ...state, workers, tickedMs: atMs, sinceMs: atMs }];
  }
  const next = { ...state, tickedMs: atMs };
  const silent = state.workers.find(({ heardMs }) => atMs - heardMs > silenceMs);
  if (silent) return lose(next, atMs, silent, `it missed its heartbeat for ${seconds(atMs - silent.heardMs)}`);
  const { complaint } = state;
  if (complaint && atMs - complaint.atMs > blameMs) {
    const allLive = state.workers.every(({ heardMs }) => heardMs > complaint.atMs);
    if (allLive) return end(next, atMs, { kind: "failed", error: complaint.error });
  }
  // L7.
  const wait = waitOf(plan, next);
  if (atMs - next.sinceMs <= wait.limitMs) return [next];
  const message = `after ${seconds(atMs - next.sinceMs)} still waiting for ${wait.for.join(", ")}; ${wait.why}`;
  return fail(next, atMs, "timeout", message);
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
