/**
 * Teachers come and go while a term runs. They hold no lane and no replica, and a soft target says what it was made for
 * (L6); so students are only told whom to ask from now on, and no step is broken off for it. A term opens where more than
 * that changes: a role, or who serves which part of the teacher.
 */
import { announce } from "./ending.ts";
import { send } from "./letters.ts";
import { dealtTo } from "./members.ts";
import { partsToTell, withParts } from "./parts.ts";
import { place } from "./placement.ts";
import type { Effect, Next, Plan, Running } from "./state.ts";
import { member } from "./term.ts";

/** The term goes on with these teachers; null where it takes another term. */
export function restaffed(plan: Plan, state: Running, teachers: readonly string[], told: Told): Next | null {
  const { workers, term, course, suspicions } = state;
  const serving = workers.filter(({ name }) => teachers.includes(name));
  const dealt = withParts(plan.job, state, serving).workers;
  const isMoved = dealt.some(({ part }, at) => part !== workers[at]!.part);
  if (isMoved || place(plan, state).turned.length > 0) return null;
  const { atMs, why } = told;
  const isIn = (name: string) => teachers.includes(name) || state.deal.some(({ worker }) => worker === name);
  const next: Running = {
    ...state,
    teachers,
    // What was measured with others says nothing of these.
    openedMs: atMs,
    suspicions: new Map([...suspicions].filter(([name]) => isIn(name))),
  };
  const parts = partsToTell(plan.job, workers, teachers);
  const instances = Object.fromEntries(serving.map(({ name, instance }) => [name, instance]));
  return [
    next,
    { kind: "journal", record: { kind: "teachers", term, teachers, instances, ...parts } },
    announce(atMs, { kind: "teachers-changed", term, stage: course.plan.stage, why, teachers, ...parts }),
    ...staffOrders(next, why),
  ];
}

export interface Told {
  readonly atMs: number;
  readonly why: string;
}

/** To the students: whom to ask. */
export function staffOrders({ workers, deal, teachers, term }: Running, why: string): Effect[] {
  const serving = teachers.flatMap((name) => workers.filter((worker) => worker.name === name));
  const order = { teachers: serving.map((worker) => member(worker)), why };
  return workers.flatMap(({ name, session }) =>
    dealtTo(deal, name) ? [send(session, { term, teachers: order, body: "teachers" })] : [],
  );
}
