/**
 * Roles by themselves: while a stage with soft targets runs, the split of the workers into teachers and students is
 * weighed, and where another promises more a planned term opens without those who turn. They then join as new ones of
 * their other role; until they have, nothing is measured.
 */
import { type DealtWorker, deal, stepSeconds } from "../core/deal.ts";
import { withEntry } from "../core/layered.ts";
import { median } from "../core/median.ts";
import { partRates } from "../core/partdeal.ts";
import { studentRange } from "../core/studentrange.ts";
import { teacherParts } from "../core/teacherparts.ts";
import { countOf, dealtTo, named } from "./members.ts";
import type { MessageOf, Progress } from "./messages.ts";
import { partWorkers, withParts } from "./parts.ts";
import { bounds, placeTeachers } from "./placement.ts";
import { type Decision, decide, observed, recall, type Situation, splitAbout } from "./split.ts";
import type { Active, Next, Plan, Running, Worker } from "./state.ts";
import { openTerm } from "./term.ts";

/** Share of a window that a term's first steps do not count: what is asked for ahead begins with nothing. */
const settling = 1 / 3;
/** Weight of the newest measurement. */
const newest = 0.3;
/** Windows that the rest of the stage must have, for another split to be worth trying. */
const windowsLeft = 4;

/** A teacher has told what it has served so far, and how long that took it. */
export function served<S extends Active>(state: S, worker: Worker, told: MessageOf<"heartbeat">): S {
  const examples = told.servedExamples - worker.status.servedExamples;
  const seconds = told.servingSeconds - worker.status.servingSeconds;
  // Of names that anybody may give itself nothing is kept.
  if (!(examples > 0 && seconds > 0) || worker.prepared === null) return state;
  const now = seconds / examples;
  const before = state.servingSeconds.get(worker.name);
  const smoothed = before === undefined ? now : before + newest * (now - before);
  return { ...state, servingSeconds: withEntry(state.servingSeconds, worker.name, smoothed) };
}

/** A student has told of steps under the split in force. */
export function splitObserved(
  plan: Plan,
  state: Running,
  atMs: number,
  { progress, byLead }: { progress: Progress; byLead: boolean },
): Running {
  const isSettled = atMs - state.openedMs >= settling * plan.patience.splitMs;
  if (state.course.plan.soft === null || !isSettled || !isInForce(plan, state, atMs)) return state;
  return { ...state, split: observed(state.split, progress, byLead) };
}

/** Opens a term for another split, where one promises more than that in force. */
export function reconsider(plan: Plan, before: Running, atMs: number): Next {
  const { course, stopping } = before;
  const isOver = course.tally.done.size > 0 || stopping !== null;
  if (!course.plan.soft || isOver || !before.workers.some(({ isAuto }) => isAuto)) return [before];
  const present = before.workers.map(({ name }) => name).sort();
  const split = splitAbout(before.split, course.plan.stage, present.join());
  const state = split === before.split ? before : { ...before, split };
  const teachers = countOf(state.workers, "teacher");
  const { most, fewest } = bounds(plan, state);
  const { splitMs: windowMs, splitSteps: windowSteps, resplitMs: retryMs } = plan.patience;
  const needed = teacherParts(plan.job.teacher).length;
  if (teachers < needed && most > teachers && (!state.split.isWarm || isStarved(state))) {
    const split = recall(state.split, { atMs, retryMs });
    return change(plan, state, atMs, { split, teachers: Math.min(most, needed) });
  }
  if (!isInForce(plan, state, atMs) || fewest >= most || isNearlyOver(state, windowMs)) return [state];
  const predict = (count: number) => predictRate(plan, state, count);
  const situation: Situation = { atMs, teachers, fewest, most, windowMs, windowSteps, retryMs, predict };
  return change(plan, state, atMs, decide(state.split, situation));
}

function change(plan: Plan, state: Running, atMs: number, { split, teachers }: Decision): Next {
  const decided: Running = split === state.split ? state : { ...state, split };
  if (teachers === null) return [decided];
  const { workers, turned } = placeTeachers(plan, decided, teachers, split.why);
  const told = turned.map(({ worker, role }) => `${worker} becomes a ${role}`);
  const why = `${told.join(", ")}: ${split.why}`;
  return openTerm(plan, { ...decided, workers }, { atMs, why, reason: "role", planned: true, turned });
}

/** Nobody is on the way to a place in the term. */
function isInForce({ job }: Plan, { workers, deal, teachers, bench }: Running, atMs: number): boolean {
  const isTraining = ({ name }: Worker) => dealtTo(deal, name) !== undefined;
  const rests = ({ name }: Worker) => (bench.get(name)?.untilMs ?? 0) > atMs;
  const isFull = deal.length >= studentRange(job).max;
  const isSettled = (student: Worker) => isTraining(student) || rests(student) || isFull;
  return (
    named(workers, "teacher").every(({ name }) => teachers.includes(name)) && named(workers, "student").every(isSettled)
  );
}

/** A student waits for soft targets that nobody is there to serve. */
function isStarved({ workers, deal }: Running): boolean {
  return workers.some(({ name, status }) => status.needsTeacher && dealtTo(deal, name) !== undefined);
}

function isNearlyOver({ course: { plan, tally }, split: { window } }: Running, windowMs: number): boolean {
  if (window.steps === 0) return false;
  const stepsLeft = plan.steps - Math.max(0, ...tally.steps.values());
  return (stepsLeft * window.seconds * 1000) / window.steps < windowsLeft * windowMs;
}

/**
 * Examples a second with so many teachers, if each went on as fast as it was measured: no faster than its students can
 * consume, nor than the teachers of any part can serve. One whose speed is not known counts as the middle one.
 */
function predictRate(plan: Plan, state: Running, count: number): number | null {
  const { workers } = placeTeachers(plan, state, count, "");
  const { laneSeconds, servingSeconds, split } = state;
  const { window } = split;
  const lane = median([...laneSeconds.values()]);
  if (lane === null || servingSeconds.size === 0 || window.steps === 0) return null;
  const students = named(workers, "student").map(
    ({ name }): DealtWorker => ({ name, laneSeconds: laneSeconds.get(name) ?? lane }),
  );
  if (students.length === 0) return null;
  const lanes = plan.job.lanes.count;
  const most = students.slice(0, lanes);
  const seconds = stepSeconds(deal(lanes, most), most) + window.otherSeconds / window.steps;
  const consumed = window.examples / window.steps / seconds;
  const placed = withParts(plan.job, { workers, servingSeconds }, named(workers, "teacher"));
  const serving = partWorkers(named(placed.workers, "teacher"), placed.servingSeconds);
  return Math.min(consumed, ...partRates(teacherParts(plan.job.teacher).length, serving));
}
