/** Workers go: they die, fall silent, ask to leave, or are thrown out. What they did, the others do in a new term. */
import { LimbeckError } from "../core/errors.ts";
import { announce } from "./ending.ts";
import { send } from "./letters.ts";
import type { MessageOf } from "./messages.ts";
import { restaffed } from "./staff.ts";
import type { Active, Exporting, Next, Plan, Worker } from "./state.ts";
import { holdersOf, openTerm } from "./term.ts";

/** A worker's session is over. */
export function lose(plan: Plan, state: Active, atMs: number, worker: Worker, why: string): Next {
  const { name, leaving, heardMs } = worker;
  const told =
    leaving === null
      ? announce(atMs, { kind: "worker-lost", worker: name, why, silentMs: atMs - heardMs })
      : announce(atMs, { kind: "worker-left", worker: name, why: leaving });
  const workers = state.workers.filter(({ session }) => session !== worker.session);
  const [next, ...effects] = replace(plan, { ...state, workers }, atMs, worker, `${name} is lost: ${why}`);
  return [next, told, ...effects];
}

/** Its session is cut, and it learns why: a zombie that wakes up joins as new (L3). */
export function throwOut(plan: Plan, state: Active, atMs: number, worker: Worker, why: string): Next {
  const error = new LimbeckError("stale_term", `${worker.name} is out of term ${state.term}: ${why}`);
  const [next, ...effects] = lose(plan, state, atMs, worker, why);
  return [next, { kind: "refuse", session: worker.session, as: "fenced", error }, ...effects];
}

/**
 * A worker asks to go. A member hands its lanes over: the next term's Assign, without it, lets it finish its step and
 * go. Anybody else may go at once.
 */
export function leave(plan: Plan, state: Active, atMs: number, worker: Worker, { why }: MessageOf<"leaving">): Next {
  if (worker.leaving !== null) return [state];
  const { name, session } = worker;
  const workers = state.workers.map((each) => (each.name === name ? { ...each, leaving: why } : each));
  const [next, ...effects] = replace(
    plan,
    { ...state, workers },
    atMs,
    { ...worker, leaving: why },
    `${name} leaves: ${why}`,
  );
  if (isMember(state, name) && next.kind === "readying") return [next, ...effects];
  const release = send(session, { term: state.term, stop: { why: `it leaves: ${why}` }, body: "stop" });
  return [next, ...effects, release];
}

function isMember(state: Active, name: string): boolean {
  if (state.kind === "gathering" || state.kind === "recovering") return false;
  return state.teachers.includes(name) || state.deal.some(({ worker }) => worker === name);
}

/** Others take over what the worker did, where it did anything. */
function replace(plan: Plan, state: Active, atMs: number, { name, leaving }: Worker, why: string): Next {
  switch (state.kind) {
    case "gathering":
    case "recovering":
      return [{ ...state, sinceMs: atMs }];
    case "readying":
    case "running": {
      if (!isMember(state, name)) return [state];
      const isTeacher = state.teachers.includes(name);
      const others = state.teachers.filter((each) => each !== name);
      const restaff = isTeacher && state.kind === "running" ? restaffed(plan, state, others, { atMs, why }) : null;
      if (restaff) return restaff;
      // The members need not break off a step because a teacher has gone.
      const planned = leaving !== null || isTeacher;
      const reason = leaving === null ? "lost" : "left";
      return openTerm(plan, state, { atMs, why, reason, planned, rollbackBelow: state.rollbackBelow });
    }
    case "exporting":
      return name === state.exporter ? exportElsewhere(plan, state, atMs, why) : [state];
  }
}

/**
 * Another member that has the stage's weights writes its models; where none has, they are read from the last checkpoint.
 * Who has them from before it joined as new is in no term, and hears no order of this one.
 */
function exportElsewhere(plan: Plan, state: Exporting, atMs: number, why: string): Next {
  const { stage } = state.result.plan;
  const holder = holdersOf(state.workers, stage).find(
    ({ role, leaving, replicaOf }) => role === "student" && leaving === null && replicaOf === stage,
  );
  if (holder) {
    const message = { term: state.term, export: { stage }, body: "export" } as const;
    return [{ ...state, exporter: holder.name, sinceMs: atMs }, send(holder.session, message)];
  }
  return openTerm(plan, state, { atMs, why, reason: "lost", planned: false });
}
