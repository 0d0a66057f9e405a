/**
 * Workers that come while others train. A student first follows a member until its replica is as far as theirs, a
 * teacher first gets its weights; only then a term opens with them, so that nobody waits for what they lacked.
 */
import { studentRange } from "../core/job.ts";
import { send } from "./letters.ts";
import { named } from "./members.ts";
import type { MessageOf } from "./messages.ts";
import type { Effect, Next, Plan, Running, Worker } from "./state.ts";
import { holdersOf, member, openTerm, taughtSha256 } from "./term.ts";

/** Tells those that are to join to get ready for it; each once in a term. */
export function tendNewcomers(plan: Plan, state: Running, atMs: number): Next {
  const newcomers = newcomersOf(plan, state, atMs);
  if (newcomers.length === 0) return [state];
  const names = new Set(newcomers.map(({ name }) => name));
  const workers = state.workers.map((each) => (names.has(each.name) ? { ...each, followsIn: state.term } : each));
  return [{ ...state, workers }, ...newcomers.map((worker) => follow(state, worker))];
}

function newcomersOf({ job }: Plan, { workers, deal, teachers, bench, course, term }: Running, atMs: number): Worker[] {
  const { stage, soft, steps } = course.plan;
  if (steps === 0) return [];
  const isNew = (worker: Worker) => worker.replicaOf !== stage && worker.followsIn < term;
  const isIn = (name: string) => deal.some(({ worker }) => worker === name) || teachers.includes(name);
  const awake = ({ name }: Worker) => (bench.get(name)?.untilMs ?? 0) <= atMs;
  const following = workers.filter((each) => each.role === "student" && each.followsIn === term).length;
  const room = studentRange(job).max - deal.length - following;
  const students = named(workers, "student").filter((each) => !isIn(each.name) && isNew(each) && awake(each));
  const serving = soft ? named(workers, "teacher").filter((each) => !isIn(each.name) && isNew(each)) : [];
  return [...students.slice(0, Math.max(room, 0)), ...serving];
}

/** The last member by lanes gives its replica: the lead has enough to do. */
function follow({ course, workers, deal, term }: Running, { session, role }: Worker): Effect {
  const { stage, steps } = course.plan;
  if (role === "teacher") {
    const teacherSources = holdersOf(workers, "teach").map((worker) => member(worker));
    const follow = { stage, steps, teacherSha256: taughtSha256(course), teacherSources };
    return send(session, { term, follow, body: "follow" });
  }
  const last = deal.at(-1)!;
  const source = member(workers.find(({ name }) => name === last.worker)!, last);
  return send(session, { term, follow: { stage, steps, source }, body: "follow" });
}

/** A newcomer is ready to be a member. */
export function caughtUp(plan: Plan, state: Running, atMs: number, worker: Worker, found: MessageOf<"caughtUp">): Next {
  const { stage } = state.course.plan;
  const isFor = found.stage === stage && worker.followsIn === state.term && worker.leaving === null;
  if (!isFor) return [state];
  const workers = state.workers.map((each) => (each.name === worker.name ? { ...each, replicaOf: stage } : each));
  const why = worker.role === "teacher" ? `${worker.name} serves, too` : `${worker.name} joins`;
  return openTerm(plan, { ...state, workers }, { atMs, why, reason: "joined", planned: true });
}
