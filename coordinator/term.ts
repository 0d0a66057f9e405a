/**
 * A term: one stage with one membership and one deal. Whatever changes the membership opens a new term, with the
 * students' lanes dealt again; the members then say where their replicas stand, and begin together at the furthest.
 *
 * Why a step needs no vote (L1): a step's sum has the same bits under every deal, so redoing it, or taking it from a
 * member that has it, gives the same replica. Of two members none can be more than one step ahead of the other, for no
 * sum is complete without the partial sums of all.
 */

import { type DealtWorker, deal } from "../core/deal.ts";
import type { DealtLanes } from "../core/events.ts";
import { median } from "../core/median.ts";
import { studentRange } from "../core/studentrange.ts";
import type { TermReason } from "../core/termreason.ts";
import { counted } from "../core/words.ts";
import type { Assign } from "../proto/gen/limbeck/v1/Assign.ts";
import { announce } from "./ending.ts";
import { send } from "./letters.ts";
import { candidates, livingOf, named, trainees } from "./members.ts";
import { partsToTell, withParts } from "./parts.ts";
import { place, type Turned, tellTurned } from "./placement.ts";
import type { Course, Gathering, Living, Next, Plan, Readying, Worker } from "./state.ts";

export type BeforeTerm = Omit<Living, "sinceMs"> & {
  readonly course: Course;
  readonly deal?: readonly DealtLanes[];
  readonly teachers?: readonly string[];
};

export interface Opening {
  readonly atMs: number;
  readonly why: string;
  readonly reason: TermReason;
  /** Nobody died: steps in flight may be finished first. */
  readonly planned: boolean;
  /** All replicas go back to a checkpoint of an earlier step than this. */
  readonly rollbackBelow?: number | null;
  /** Who has got another role for it. */
  readonly turned?: readonly Turned[];
}

/** Opens the next term with whoever can train, or pauses the job where they are too few. */
export function openTerm(plan: Plan, before: BeforeTerm, opening: Opening): Next {
  const { atMs, why, reason, planned, rollbackBelow = null, turned = [] } = opening;
  const placed = place(plan, before);
  const { course } = before;
  const { stage, soft } = course.plan;
  const { min } = studentRange(plan.job);
  const able = candidates(placed.workers, before.bench, { atMs, min });
  if (able.length < min) return pause(plan, { ...before, workers: placed.workers }, opening, able.length);
  const isInStage = (worker: Worker) => worker.replicaOf === stage && rollbackBelow === null;
  const chosen = trainees(plan.job, able, isInStage);
  const restore = !chosen.some(isInStage);
  // Where students have a replica that others would wait for, a teacher is made ready before it gets its place.
  const isReady = (worker: Worker) => !course.hasBegun || restore || worker.replicaOf === stage;
  const teaching = soft ? named(placed.workers, "teacher").filter(isReady) : [];
  const state: BeforeTerm = { ...before, ...withParts(plan.job, { ...before, workers: placed.workers }, teaching) };
  const teachers = teaching.map(({ name }) => name);
  const dealt = deal(plan.job.lanes.count, withSpeeds(chosen, state));
  const isIn = new Set([...dealt.map(({ worker }) => worker), ...teachers]);
  const term = state.term + 1;
  const assign = assignment(state, { ...opening, rollbackBelow }, { dealt, teachers, restore });
  const next: Readying = {
    ...livingOf(state, atMs),
    kind: "readying",
    // A replica that is not in this term falls behind.
    workers: state.workers.map((worker) => ({
      ...worker,
      replicaOf: isIn.has(worker.name) && rollbackBelow === null ? worker.replicaOf : null,
    })),
    term,
    ...benched(
      plan,
      state,
      chosen.filter(({ name }) => !isIn.has(name)),
      atMs,
    ),
    course: { ...course, tally: { ...course.tally, done: new Map() } },
    deal: dealt,
    teachers,
    openedMs: atMs,
    rollbackBelow,
    ready: new Map(),
    suspicions: new Map(),
  };
  const wereIn = new Set([...(state.deal ?? []).map(({ worker }) => worker), ...(state.teachers ?? [])]);
  // Whoever is to give the teacher's weights in this term must know that it is open.
  const sources = new Set(assign.teacherSources!.map(({ worker }) => worker!));
  const told = state.workers.filter(({ name }) => isIn.has(name) || wereIn.has(name) || sources.has(name));
  const instances = Object.fromEntries(
    told.flatMap((each) => (isIn.has(each.name) ? [[each.name, each.instance]] : [])),
  );
  const parts = partsToTell(plan.job, state.workers, teachers);
  const membership = { deal: dealt, teachers, ...parts };
  return [
    next,
    { kind: "journal", record: { kind: "term", atMs, term, stage, ...membership, instances, rollbackBelow, why } },
    ...tellTurned([...turned, ...placed.turned], atMs),
    announce(atMs, { kind: "term-opened", term, stage, why, reason, planned, ...membership }),
    ...told.map(({ session }) => send(session, { term, assign, body: "assign" })),
  ];
}

function assignment(
  { workers, course }: BeforeTerm,
  { why, planned, rollbackBelow }: Opening,
  { dealt, teachers, restore }: { dealt: readonly DealtLanes[]; teachers: readonly string[]; restore: boolean },
): Assign {
  const { stage, steps, soft } = course.plan;
  const byName = new Map(workers.map((worker) => [worker.name, worker]));
  const workerOf = (name: string) => byName.get(name)!;
  return {
    stage,
    steps,
    students: dealt.map((each) => member(workerOf(each.worker), each)),
    teachers: teachers.map((name) => member(workerOf(name))),
    teacherSha256: soft ? taughtSha256(course) : "",
    teacherSources: soft ? holdersOf(workers, "teach").map((worker) => member(worker)) : [],
    why,
    planned,
    restore,
    restoreBelow: rollbackBelow ?? 0,
    dataset: course.dataset,
  };
}

export function member({ name, address, host, part }: Worker, lanes?: Pick<DealtLanes, "firstLane" | "lanes">) {
  const { firstLane, lanes: count } = lanes ?? { firstLane: 0, lanes: 0 };
  return { worker: name, address, host, firstLane, lanes: count, part: part ?? 0 };
}

export function holdersOf(workers: readonly Worker[], stage: string): Worker[] {
  return workers.filter(({ holds }) => holds.includes(stage));
}

/** The teacher the students agreed on at the end of `teach`, trained or not. */
export function taughtSha256({ finished }: Pick<Course, "finished">): string {
  return finished.find(({ plan }) => plan.stage === "teach")?.weightsSha256 ?? "";
}

/** One whose speed is not known counts as the middle one; one that was left out gets one lane to show itself. */
function withSpeeds(
  chosen: readonly Worker[],
  { laneSeconds, bench }: Pick<BeforeTerm, "laneSeconds" | "bench">,
): DealtWorker[] {
  const middle = median(chosen.flatMap(({ name }) => laneSeconds.get(name) ?? [])) ?? 1;
  return chosen.map(({ name }) => {
    const measured = laneSeconds.get(name);
    if (measured !== undefined) return { name, laneSeconds: measured };
    return { name, laneSeconds: middle, ...(bench.has(name) && { atMost: 1 }) };
  });
}

/** Who is so slow that it got no lanes rests, longer each time, and is then measured anew. */
function benched({ patience }: Plan, { bench, laneSeconds }: BeforeTerm, idle: readonly Worker[], atMs: number) {
  const [benches, seconds] = [new Map(bench), new Map(laneSeconds)];
  for (const { name } of idle) {
    const benchMs = 2 * (bench.get(name)?.benchMs ?? patience.benchMs / 2);
    benches.set(name, { untilMs: atMs + benchMs, benchMs, why: "slow" });
    seconds.delete(name);
  }
  return { bench: benches, laneSeconds: seconds };
}

function pause(plan: Plan, state: BeforeTerm, opening: Opening, able: number): Next {
  const { atMs, why, rollbackBelow = null } = opening;
  const { min } = studentRange(plan.job);
  const reason = `${able} of at least ${counted(min, "student")}: ${why}`;
  const { workers, term, course } = state;
  const next: Gathering = { kind: "gathering", ...livingOf(state, atMs), course, why: reason, rollbackBelow };
  const pauses = (state.deal ?? []).flatMap(({ worker }) => workers.filter(({ name }) => name === worker));
  return [
    next,
    { kind: "journal", record: { kind: "paused", term } },
    announce(atMs, { kind: "job-paused", why: reason }),
    ...pauses.map(({ session }) => send(session, { term, pause: { why: reason }, body: "pause" })),
  ];
}
