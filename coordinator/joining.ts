/**
 * Workers that come while others train. A student first follows a member until its replica is as far as theirs; only
 * then a term opens with it, so that nobody waits for what it lacked. A teacher first gets its weights, and then serves in
 * the term that runs (staff.ts).
 */
import { studentRange } from "../core/studentrange.ts";
import { isApart, teacherParts } from "../core/teacherparts.ts";
import { send } from "./letters.ts";
import { countOf, dealtTo, named } from "./members.ts";
import type { MessageOf } from "./messages.ts";
import { withParts } from "./parts.ts";
import { restaffed } from "./staff.ts";
import type { Effect, Next, Plan, Running, Worker } from "./state.ts";
import { holdersOf, member, openTerm, taughtSha256 } from "./term.ts";

/** Tells those that are to join to get ready for it; each once in a term. */
export function tendNewcomers(plan: Plan, state: Running, atMs: number): Next {
  const newcomers = newcomersOf(plan, state, atMs);
  if (newcomers.length === 0) return [state];
  const names = new Set(newcomers.map(({ name }) => name));
  const told = state.workers.map((each) => (names.has(each.name) ? { ...each, followsIn: state.term } : each));
  const next = { ...state, workers: withPartsOfNewcomers(plan, { ...state, workers: told }, names) };
  const following = next.workers.filter(({ name }) => names.has(name));
  return [next, ...following.map((worker) => follow(next, worker))];
}

/** Those in the term keep their parts: they may be asked for them now. */
function withPartsOfNewcomers({ job }: Plan, state: Running, newcomers: ReadonlySet<string>): Worker[] {
  const { workers, teachers, term } = state;
  const serving = workers.filter(({ name }) => teachers.includes(name));
  const coming = named(workers, "teacher").filter(
    ({ name, followsIn }) => followsIn === term && !teachers.includes(name),
  );
  const dealt = withParts(job, state, [...serving, ...coming]).workers;
  return workers.map((each, at) => (newcomers.has(each.name) ? { ...each, part: dealt[at]!.part } : each));
}

function newcomersOf({ job }: Plan, { workers, deal, teachers, bench, course, term }: Running, atMs: number): Worker[] {
  const { stage, soft, steps } = course.plan;
  if (steps === 0) return [];
  const isNew = (worker: Worker) => worker.replicaOf !== stage && worker.followsIn < term;
  const isIn = (name: string) => dealtTo(deal, name) !== undefined || teachers.includes(name);
  const awake = ({ name }: Worker) => (bench.get(name)?.untilMs ?? 0) <= atMs;
  const following = workers.filter((each) => each.role === "student" && each.followsIn === term).length;
  // One that is to turn into a teacher makes room (placement.ts).
  const lacking = soft ? Math.max(0, teacherParts(job.teacher).length - countOf(workers, "teacher")) : 0;
  const turning = workers.filter(({ name, isAuto }) => isAuto && dealtTo(deal, name)).length;
  const room = studentRange(job).max - deal.length - following + Math.min(lacking, turning);
  // Most have nothing to tell them, with every tick: only the others are sorted.
  const coming = workers.filter((each) => isNew(each) && !isIn(each.name));
  const students = named(coming, "student").filter(awake);
  const serving = soft ? named(coming, "teacher") : [];
  return [...students.slice(0, Math.max(room, 0)), ...serving];
}

/** The last member by lanes gives its replica: the lead has enough to do. */
function follow({ course, workers, deal, term }: Running, { session, role, part }: Worker): Effect {
  const { dataset } = course;
  const { stage, steps } = course.plan;
  if (role === "teacher") {
    const teacherSources = holdersOf(workers, "teach").map((worker) => member(worker));
    const wanted = { teacherSha256: taughtSha256(course), teacherSources, part: part ?? 0, dataset };
    const follow = { stage, steps, ...wanted };
    return send(session, { term, follow, body: "follow" });
  }
  const last = deal.at(-1)!;
  const source = member(workers.find(({ name }) => name === last.worker)!, last);
  return send(session, { term, follow: { stage, steps, source, dataset }, body: "follow" });
}

/** A newcomer is ready to be a member. */
export function caughtUp(plan: Plan, state: Running, atMs: number, worker: Worker, found: MessageOf<"caughtUp">): Next {
  const { stage } = state.course.plan;
  const isFor = found.stage === stage && worker.followsIn === state.term && worker.leaving === null;
  if (!isFor) return [state];
  const { name, role } = worker;
  if (role === "teacher") return serves(plan, state, atMs, worker, found);
  const workers = state.workers.map((each) => (each.name === name ? { ...each, replicaOf: stage } : each));
  return openTerm(plan, { ...state, workers }, { atMs, why: `${name} joins`, reason: "joined", planned: true });
}

/**
 * It serves already; the students have only to be told. Where the teacher has parts, or must not be cached and was, a term
 * opens, for its members then compare what they have.
 */
function serves(plan: Plan, state: Running, atMs: number, { name }: Worker, found: MessageOf<"caughtUp">): Next {
  const { holds, uncacheable, stage } = found;
  const workers = state.workers.map((each) => (each.name === name ? { ...each, replicaOf: stage, holds } : each));
  const told = { atMs, why: `${name} serves, too` };
  const next = { ...state, workers };
  const isNews = uncacheable !== "" && state.course.uncacheable === "";
  const takesTerm = isNews || isApart(plan.job.teacher);
  const restaff = takesTerm ? null : restaffed(plan, next, [...state.teachers, name], told);
  return restaff ?? openTerm(plan, next, { ...told, reason: "joined", planned: true });
}
