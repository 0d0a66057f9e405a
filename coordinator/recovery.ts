/**
 * The coordinator was started again. Its members went on training meanwhile: those that come back, in the term they
 * still work in, are taken as they are; if all do, the term goes on as if nothing had been.
 */
import { proceed } from "./gather.ts";
import { tendNewcomers } from "./joining.ts";
import type { Begun } from "./journalrecord.ts";
import { beginOrders, greeting } from "./letters.ts";
import { absentees, livingOf } from "./members.ts";
import { staffOrders } from "./staff.ts";
import { exportOrder, nextStage } from "./stageend.ts";
import type { Effect, Exporting, Next, Plan, Recovering, Running } from "./state.ts";
import { openTerm } from "./term.ts";

/** One more member is back and has said what it computes with. */
export function rejoined(plan: Plan, state: Recovering, atMs: number): Next {
  return absentees(state).length === 0 ? goOn(plan, state, atMs) : [state];
}

function goOn(plan: Plan, state: Recovering, atMs: number): Next {
  const { course, deal, teachers, openedMs, rollbackBelow, begun, parameters } = state;
  if (begun === null || rollbackBelow !== null) return another(plan, state, atMs, "the members are back");
  const finishing = finish(plan, state, atMs);
  if (finishing) return finishing;
  if (state.result) return another(plan, state, atMs, `nobody has the weights of ${course.plan.stage} any more`);
  const inTerm = { ...livingOf(state, atMs), course, deal, teachers, openedMs, rollbackBelow };
  const nothing = { suspicions: new Map(), digests: new Map(), betterDealSinceMs: null, stopping: null };
  const running: Running = { ...inTerm, ...nothing, kind: "running", parameters };
  const [next, ...effects] = tendNewcomers(plan, running, atMs);
  const staff = course.plan.soft ? staffOrders(running, "the coordinator is back") : [];
  return [next, ...takenBack(plan, state, begun), ...staff, ...effects];
}

/**
 * What was said between the crash and now reached nobody: the order to begin, which whoever has begun passes over, and
 * the members' reports and suspicions, which they tell again to whoever takes them back.
 */
function takenBack(plan: Plan, state: Recovering, begun: Begun): Effect[] {
  const { workers, expected, term } = state;
  const members = workers.filter(({ name }) => expected.has(name));
  const greetings = members.map((member) => greeting(plan, member, { term, rejoined: true }));
  return [...greetings, ...beginOrders(members, state, begun)];
}

/**
 * The stage is over: its models may be written, or have yet to be, by one who has the weights; the others are not needed
 * for that. null where it is not over, or nobody has them.
 */
function finish(plan: Plan, state: Recovering, atMs: number): Next | null {
  const { course, deal, teachers, openedMs, rollbackBelow, result, begun } = state;
  if (!result || begun === null || rollbackBelow !== null) return null;
  const { stage } = result.plan;
  const hasWeights = (name: string) =>
    state.workers.some(
      (each) => each.name === name && each.prepared !== null && each.replicaOf === stage && each.holds.includes(stage),
    );
  const holder = deal.find(({ worker }) => hasWeights(worker));
  if (!holder) return null;
  const over = { ...livingOf(state, atMs), course, deal, teachers, openedMs, rollbackBelow, result };
  const exporting: Exporting = { ...over, kind: "exporting", exporter: holder.worker };
  if (stage === "baseline" || result.exported.models.length > 0) return nextStage(plan, exporting, atMs);
  return [exporting, exportOrder(exporting)];
}

/** L7. Members that have not come back in time are lost. */
export function tickRecovering(plan: Plan, state: Recovering, atMs: number): Next {
  if (isFirstBack(state)) return [{ ...state, isSomeoneBack: true, recoveredMs: atMs }];
  if (atMs - state.recoveredMs < waitMs(plan, state) && !isInVain(state)) return [state];
  const why = `${absentees(state).join(", ")} did not come back to the coordinator`;
  return finish(plan, state, atMs) ?? another(plan, state, atMs, why);
}

function isFirstBack({ isSomeoneBack, workers, expected }: Recovering): boolean {
  return !isSomeoneBack && workers.some(({ name, instance }) => expected.get(name) === instance);
}

/** Whoever is missing has come as another: in the life that is waited for it died. */
function isInVain(state: Recovering): boolean {
  const { workers, expected, isSomeoneBack } = state;
  const isReplaced = (name: string) =>
    workers.some((worker) => worker.name === name && worker.instance !== expected.get(name));
  // Those of a whole new cluster begin together.
  return absentees(state).every(isReplaced) && (isSomeoneBack || workers.every(({ prepared }) => prepared !== null));
}

/** A member that has come as another proves that members died; as long as nobody is heard of, they may be looking. */
function waitMs({ patience }: Plan, { isSomeoneBack, workers, expected }: Recovering): number {
  const isKnown = isSomeoneBack || workers.some(({ name }) => expected.has(name));
  return isKnown ? patience.rejoinMs : patience.returnMs;
}

function another(plan: Plan, state: Recovering, atMs: number, why: string): Next {
  const { course, deal, teachers, rollbackBelow } = state;
  const living = livingOf(state, atMs);
  if (state.workers.some(({ prepared }) => prepared !== null)) {
    const opening = { atMs, why, reason: "restarted", planned: false, rollbackBelow } as const;
    return openTerm(plan, { ...living, course, deal, teachers }, opening);
  }
  return proceed(plan, { ...living, kind: "gathering", course, why, rollbackBelow }, atMs);
}
