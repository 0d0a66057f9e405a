/**
 * The coordinator's whole control flow, pure: `step(plan, state, event) -> [state, ...effects]`. Time comes in with
 * the events; sockets, clocks and disks are the shell's (run.ts). No tensor comes by here (L5).
 */
import { greet, prepared } from "./admission.ts";
import { weigh } from "./balance.ts";
import { ready } from "./beginning.ts";
import { leave, lose, throwOut } from "./departure.ts";
import { diagnosed } from "./diagnosis.ts";
import { digested } from "./divergence.ts";
import { announce, end, fail, left, stopped, tickEnding } from "./ending.ts";
import { proceed } from "./gather.ts";
import { caughtUp, tendNewcomers } from "./joining.ts";
import { send } from "./letters.ts";
import { dealtTo } from "./members.ts";
import type { WorkerMessage } from "./messages.ts";
import { tickRecovering } from "./recovery.ts";
import { reconsider, served } from "./rolechange.ts";
import { checkpointed, done, evaluated, progressed, skipped } from "./stage.ts";
import { exported } from "./stageend.ts";
import type {
  Active,
  Effect,
  Ending,
  Event,
  Next,
  Plan,
  Readying,
  Running,
  State,
  StopOrder,
  Worker,
} from "./state.ts";
import { judge, suspected } from "./suspicion.ts";
import { waitOf } from "./waiting.ts";

export function step(plan: Plan, state: State, event: Event): Next {
  const [next, ...effects] = decide(plan, state, event);
  const isAsked = state.kind === "running" && state.stopping !== null;
  if (!isAsked || (next.kind !== "readying" && next.kind !== "gathering")) return [next, ...effects];
  // The membership changed while the last checkpoint was being written: there is none, then.
  return end(next, event.atMs, stopped(state.stopping!));
}

function decide(plan: Plan, state: State, event: Event): Next {
  const { atMs } = event;
  if (event.kind === "message" && event.message.kind === "hello") {
    return greet(plan, state, atMs, event.session, event.message);
  }
  if (state.kind === "ended") return [state];
  switch (event.kind) {
    case "message": {
      // A session that was refused, or has gone, has no worker.
      const at = state.workers.findIndex(({ session }) => session === event.session);
      if (at < 0 || state.kind === "ending") return [state];
      const { message } = event;
      const heard = { ...state.workers[at]!, heardMs: atMs };
      // Of all messages these are the most, by far: with many workers each copy of them counts.
      if (message.kind === "heartbeat") return beat(state, atMs, { at, worker: heard }, message);
      return hear(plan, { ...state, workers: state.workers.with(at, heard) }, atMs, heard, message);
    }
    case "broken": {
      const worker = state.workers.find(({ session }) => session === event.session);
      if (!worker) return [state];
      return state.kind === "ending" ? left(state, atMs, event.session) : lose(plan, state, atMs, worker, event.why);
    }
    case "tick":
      return state.kind === "ending" ? tickEnding(plan, state, atMs) : tick(plan, state, atMs);
    case "stop":
      return stop(state, atMs, event);
    case "trouble":
      return trouble(state, atMs, event.error);
  }
}

/** A job in training is left with a checkpoint, from which it can be resumed; a second order ends it at once. */
function stop(state: Active | Ending, atMs: number, order: StopOrder): Next {
  if (state.kind === "ending") return [state];
  if (state.kind !== "running" || state.stopping) return end(state, atMs, stopped(order));
  const lead = state.workers.find(({ name }) => name === state.deal[0]!.worker)!;
  const last = send(lead.session, { term: state.term, checkpoint: { why: order.why }, body: "checkpoint" });
  return [{ ...state, stopping: { ...order, sinceMs: atMs } }, last];
}

/** What could not be performed may have been the order to stop, so it is given again. An earlier reason stays. */
function trouble(state: Active | Ending, atMs: number, error: Extract<Event, { kind: "trouble" }>["error"]): Next {
  const isOver = state.kind === "ending" && state.outcome.kind !== "done";
  return end(state, atMs, isOver ? state.outcome : { kind: "failed", error });
}

type Heartbeat = WorkerMessage & { kind: "heartbeat" };

function hear(
  plan: Plan,
  state: Active,
  atMs: number,
  worker: Worker,
  message: Exclude<WorkerMessage, Heartbeat>,
): Next {
  switch (message.kind) {
    case "failed":
      return fail(state, atMs, message.code, `${worker.name}: ${message.message}`);
    case "leaving":
      return leave(plan, state, atMs, worker, message);
    case "corrupted": {
      const { from, what, why } = message;
      return [state, announce(atMs, { kind: "payload-damaged", worker: worker.name, from, what, why })];
    }
    case "warned":
      return [state, announce(atMs, { kind: "worker-warned", worker: worker.name, why: message.why })];
    case "prepared": {
      const { engine, dataset, noDataset } = message;
      return worker.prepared ? [state] : prepared(plan, state, atMs, worker, { engine, dataset, noDataset });
    }
    default:
      // L3. What was meant for another term has no effect on this one.
      return message.term === state.term ? advance(plan, state, atMs, worker, message) : [state];
  }
}

function advance(
  plan: Plan,
  state: Active,
  atMs: number,
  worker: Worker,
  message: Exclude<WorkerMessage, Heartbeat>,
): Next {
  const stage = state.kind === "gathering" || state.kind === "recovering" ? null : state.course.plan.stage;
  if (stage !== null && "stage" in message && message.stage !== stage) {
    const text = `${worker.name} reports on ${message.stage} in term ${state.term}, which is of ${stage}`;
    return fail(state, atMs, "internal", text);
  }
  switch (message.kind) {
    case "ready":
      return state.kind === "readying" ? ready(plan, state, atMs, worker, message) : [state];
    case "progress":
      return trains(state, worker) ? progressed(plan, state, atMs, worker, message) : [state];
    case "evaluated":
      return trains(state, worker) ? evaluated(plan, state, atMs, worker, message) : [state];
    case "digest":
      return trains(state, worker) ? digested(plan, state, atMs, worker, message) : [state];
    case "skipped":
      return trains(state, worker) ? skipped(state, atMs, worker, message) : [state];
    case "diagnosed":
      return trains(state, worker) ? diagnosed(state, atMs, worker, message) : [state];
    case "suspect":
      return belongs(state, worker) ? suspected(state, atMs, worker, message) : [state];
    case "stageDone":
      return trains(state, worker) ? done(plan, state, atMs, worker, message) : [state];
    case "caughtUp":
      return state.kind === "running" ? caughtUp(plan, state, atMs, worker, message) : [state];
    case "exported": {
      const isDue = state.kind === "exporting" && worker.name === state.exporter;
      return isDue ? exported(plan, state, atMs, message) : [state];
    }
    case "checkpointed":
      return checkpointed(state, atMs, message);
    case "hello":
    case "prepared":
    case "failed":
    case "leaving":
    case "corrupted":
    case "warned":
      return [state]; // Heard above, whatever their term.
  }
}

/** Teachers, too, depend on others before they are ready. */
function belongs(state: Active, { name }: Worker): state is Readying | Running {
  if (state.kind !== "readying" && state.kind !== "running") return false;
  return state.teachers.includes(name) || dealtTo(state.deal, name) !== undefined;
}

function trains(state: Active, { name }: Worker): state is Running {
  return state.kind === "running" && dealtTo(state.deal, name) !== undefined;
}

/** @param at place of the worker among all */
function beat(
  state: Active,
  atMs: number,
  { at, worker }: { readonly at: number; readonly worker: Worker },
  heartbeat: Heartbeat,
): Next {
  const { kind: _, term: __, ...status } = heartbeat;
  const { doing, waitingFor, residentBytes } = status;
  const peakResidentBytes = Math.max(worker.peakResidentBytes, residentBytes);
  const workers = state.workers.with(at, { ...worker, status, peakResidentBytes });
  const next = { ...served(state, worker, heartbeat), workers };
  const told: Effect[] = [];
  if (doing !== worker.status.doing || waitingFor !== worker.status.waitingFor) {
    told.push(announce(atMs, { kind: "worker-status", worker: worker.name, doing, waitingFor, residentBytes }));
  }
  if (status.serverAway !== worker.status.serverAway) {
    const why = status.serverAway ? `waits for ${waitingFor}` : "waits for no server any more";
    told.push(announce(atMs, { kind: "worker-warned", worker: worker.name, why }));
  }
  return [next, ...told];
}

/** As many times as long may a worker be silent while it gets prepared. */
const preparingSilences = 10;

function tick(plan: Plan, state: Active, atMs: number): Next {
  const { silenceMs, lastCheckpointMs } = plan.patience;
  // The coordinator itself slept (a suspended laptop, a paused process): the silence was its own.
  if (atMs - state.tickedMs > silenceMs / 2) {
    const workers = state.workers.map((worker) => ({ ...worker, heardMs: atMs }));
    return [{ ...state, workers, tickedMs: atMs, sinceMs: atMs }];
  }
  const next = { ...state, tickedMs: atMs };
  // Loading an engine and a dataset may keep a worker's thread; nobody waits for who is not prepared.
  const patience = ({ prepared }: Worker) => (prepared === null ? preparingSilences * silenceMs : silenceMs);
  const silent = state.workers.find((worker) => atMs - worker.heardMs > patience(worker));
  if (silent)
    return throwOut(plan, next, atMs, silent, `it missed its heartbeat for ${seconds(atMs - silent.heardMs)}`);
  if (next.kind === "recovering") return tickRecovering(plan, next, atMs);
  if (next.kind === "running" && next.stopping && atMs - next.stopping.sinceMs > lastCheckpointMs) {
    const { stopping } = next;
    return end(next, atMs, stopped({ ...stopping, why: `${stopping.why}; no last checkpoint came` }));
  }
  // L7.
  const wait = waitOf(plan, next);
  if (atMs - next.sinceMs > wait.limitMs) {
    const message = `after ${seconds(atMs - next.sinceMs)} still waiting for ${wait.for.join(", ")}; ${wait.why}`;
    return fail(next, atMs, "timeout", message);
  }
  if (next.kind === "gathering") return proceed(plan, next, atMs);
  if (next.kind === "readying") return judge(plan, next, atMs) ?? [next];
  return next.kind === "running" ? tickRunning(plan, next, atMs) : [next];
}

function tickRunning(plan: Plan, state: Running, atMs: number): Next {
  const judged = judge(plan, state, atMs);
  if (judged) return judged;
  const [weighed, ...effects] = weigh(plan, state, atMs);
  if (weighed.kind !== "running") return [weighed, ...effects];
  const [placed, ...changes] = reconsider(plan, weighed, atMs);
  return placed.kind === "running" ? tendNewcomers(plan, placed, atMs) : [placed, ...changes];
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
