/** How a term begins: its members say where their replicas stand, and begin together at the furthest. */
import { cachePlan } from "../core/caching.ts";
import type { Job } from "../core/job.ts";
import { withEntry } from "../core/layered.ts";
import { isApart } from "../core/teacherparts.ts";
import type { Ready__Output } from "../proto/gen/limbeck/v1/Ready.ts";
import { rollBack } from "./divergence.ts";
import { announce, fail } from "./ending.ts";
import { beginOrders } from "./letters.ts";
import { dealtTo } from "./members.ts";
import { idleParts, wrongMember } from "./parts.ts";
import type { Course, Next, Plan, Readying, Running, Worker } from "./state.ts";
import type { Tally } from "./tally.ts";
import { taughtSha256 } from "./term.ts";

/** A worker has laid out the term. When all members have, they begin. */
export function ready(plan: Plan, before: Readying, atMs: number, worker: Worker, found: Ready__Output): Next {
  const { name } = worker;
  const { stage } = before.course.plan;
  const isStudent = dealtTo(before.deal, name) !== undefined;
  if (!isStudent && !before.teachers.includes(name)) return [before]; // Idle in this term.
  const state: Readying = {
    ...before,
    workers: before.workers.map((each) =>
      each.name === name ? { ...each, replicaOf: stage, holds: found.holds } : each,
    ),
    ready: withEntry(before.ready, name, found),
    sinceMs: atMs,
  };
  const told = notes(state, atMs, name, found);
  const wrong = isStudent ? misfit(state, name, found) : wrongTeacher(plan.job, state, name, found);
  if (wrong) {
    const [failed, ...effects] = fail(state, atMs, "diverged", wrong);
    return [failed, ...told, ...effects];
  }
  // Nobody else's is kept.
  if (state.ready.size < state.deal.length + state.teachers.length) return [state, ...told];
  const [begun, ...effects] = begin(plan, state, atMs);
  return [begun, ...told, ...effects];
}

function notes({ course }: Readying, atMs: number, worker: string, { step, restoredFrom, skipped }: Ready__Output) {
  const { stage } = course.plan;
  const passedOver = skipped.map((why) => announce(atMs, { kind: "checkpoint-passed-over", worker, why }));
  if (restoredFrom === "") return passedOver;
  return [...passedOver, announce(atMs, { kind: "restored", worker, stage, step, folder: restoredFrom })];
}

function wrongTeacher(job: Job, state: Readying, name: string, found: Ready__Output): string | null {
  const taught = taughtSha256(state.course);
  if (isApart(job.teacher)) return wrongMember(job, state, taught);
  if (taught === "" || found.weightsSha256 === taught) return null;
  return `${name} would serve a teacher with the weights ${found.weightsSha256}, the students agreed on ${taught}`;
}

/** Replicas at step 0 are as built: where they differ no membership helps. */
function misfit({ ready, deal, course }: Readying, name: string, found: Ready__Output): string | null {
  for (const { worker: other } of deal) {
    const theirs = ready.get(other);
    if (!theirs || other === name) continue;
    const fields =
      theirs.step === 0 && found.step === 0 ? (["parameters", "weightsSha256"] as const) : (["parameters"] as const);
    for (const field of fields) {
      if (theirs[field] === found[field]) continue;
      return `${other} and ${name} would begin ${course.plan.stage} with different ${field}: ${theirs[field]} and ${found[field]}`;
    }
  }
  return null;
}

function begin(plan: Plan, { kind: _, ready, ...state }: Readying, atMs: number): Next {
  const { course, term, deal } = state;
  const { stage, steps, stepsPerEpoch } = course.plan;
  const standing = deal.map(({ worker }) => ({ worker, ...ready.get(worker)! }));
  const step = Math.max(...standing.map((each) => each.step));
  const ahead = standing.filter((each) => each.step === step);
  const { parameters } = ahead[0]!;
  const uncacheable = uncacheableOf(plan.job, { ...state, ready });
  const running: Running = {
    ...state,
    kind: "running",
    course: { ...course, hasBegun: true, uncacheable, tally: goneBack(course.tally, step) },
    sinceMs: atMs,
    openedMs: atMs,
    parameters,
    rollbackBelow: null,
    suspicions: new Map(),
    digests: new Map(),
    betterDealSinceMs: null,
    stopping: null,
  };
  if (ahead.some(({ weightsSha256 }) => weightsSha256 !== ahead[0]!.weightsSha256)) {
    const weights = new Map(ahead.map(({ worker, weightsSha256 }) => [worker, weightsSha256]));
    return rollBack(plan, running, atMs, { step, weights });
  }
  const sources = ahead.map(({ worker }) => worker);
  const sumSources = ahead.flatMap(({ worker, hasSum }) => (hasSum ? [worker] : []));
  const begun = { step, sources, sumSources, evaluate: isEvaluationDue(plan, course, step), uncacheable };
  const first = [announce(atMs, { kind: "stage-started", stage, steps, stepsPerEpoch, parameters })];
  if (course.plan.soft) {
    const { kind: cache, why } = cachePlan(plan.job, uncacheable);
    first.push(announce(atMs, { kind: "soft-target-cache", stage, cache, why }));
  }
  return [
    running,
    { kind: "journal", record: { kind: "begun", term, parameters, ...begun } },
    ...(course.hasBegun ? [] : first),
    announce(atMs, { kind: "term-begun", term, stage, step }),
    ...beginOrders(
      state.workers.filter(({ name }) => ready.has(name)),
      running,
      begun,
    ),
  ];
}

/** As the teachers of the term say; of a part that nobody serves, as those before them said. */
function uncacheableOf(job: Job, { teachers, workers, ready, course }: Omit<Readying, "kind">): string {
  const found = teachers.map((name) => ready.get(name)!.uncacheable).find((why) => why !== "") ?? "";
  return found === "" && idleParts(job, workers, teachers).length > 0 ? course.uncacheable : found;
}

/** Steps that are done again have yet to be agreed on, and their checkpoints are written again. */
function goneBack(tally: Tally, step: number): Tally {
  return {
    ...tally,
    agreed: Math.min(tally.agreed, step),
    checkpointed: Math.min(tally.checkpointed, step - 1),
  };
}

/** An evaluation in the middle of the stage that its members of before did not complete. */
function isEvaluationDue({ job }: Plan, { plan, tally }: Course, step: number): boolean {
  const every = job.evaluation.everyEpochs * plan.stepsPerEpoch;
  const isDue = every > 0 && step > 0 && step < plan.steps && step % every === 0;
  return isDue && tally.evaluations.get(String(step)) !== null;
}
