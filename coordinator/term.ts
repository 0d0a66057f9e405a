/**
 * A term: one stage with one membership and one deal. Whatever changes the membership opens a new term, with the
 * students' lanes dealt again; the members then say where they stand, and begin together.
 */
import { deal } from "../core/deal.ts";
import type { DealtLanes } from "../core/events.ts";
import type { Job } from "../core/job.ts";
import type { StagePlan } from "../core/stages.ts";
import type { Assign } from "../proto/gen/limbeck/v1/Assign.ts";
import type { Ready__Output } from "../proto/gen/limbeck/v1/Ready.ts";
import { announce, fail } from "./ending.ts";
import type { Role } from "./messages.ts";
import type { Effect, Next, Readying, Running, Worker } from "./state.ts";
import { emptyTally } from "./tally.ts";

// By number where names end in one: the lead is student-2 before student-10, in whatever order they joined.
const byName = new Intl.Collator("en", { numeric: true });

export function named(workers: readonly Worker[], role: Role): Worker[] {
  return workers.filter((worker) => worker.role === role).sort((a, b) => byName.compare(a.name, b.name));
}

type BeforeTerm = Pick<
  Readying,
  "workers" | "term" | "startedMs" | "tickedMs" | "complaint" | "dataset" | "stages" | "finished"
>;

/** Opens the next term: deals the lanes and assigns the stage to every worker. Those who do not serve in it idle. */
export function openTerm(
  job: Job,
  state: BeforeTerm,
  { atMs, plan, why }: { atMs: number; plan: StagePlan; why: string },
): Next {
  const term = state.term + 1;
  const students = named(state.workers, "student");
  const teachers = plan.soft ? named(state.workers, "teacher") : [];
  const dealt = deal(job.lanes.count, students);
  const assign: Assign = {
    stage: plan.stage,
    steps: plan.steps,
    students: students.map((worker, at) => member(worker, dealt[at]!)),
    teachers: teachers.map((worker) => member(worker, { firstLane: 0, lanes: 0 })),
    teacherSha256: plan.soft && !("load" in job.teacher) ? taughtSha256(state) : "",
    why,
  };
  const next: Readying = {
    kind: "readying",
    workers: state.workers,
    term,
    startedMs: state.startedMs,
    sinceMs: atMs,
    tickedMs: state.tickedMs,
    complaint: state.complaint,
    dataset: state.dataset,
    stages: state.stages,
    finished: state.finished,
    plan,
    deal: dealt,
    teachers: teachers.map(({ name }) => name),
    openedMs: atMs,
    ready: new Map(),
  };
  const sends = state.workers.map(
    ({ session }): Effect => ({ kind: "send", session, message: { term, assign, body: "assign" } }),
  );
  return [next, announce(atMs, { kind: "term-opened", term, stage: plan.stage, why, deal: dealt }), ...sends];
}

function member({ name, address, host }: Worker, { firstLane, lanes }: Pick<DealtLanes, "firstLane" | "lanes">) {
  return { worker: name, address, host, firstLane, lanes };
}

/** The weights the students agreed on at the end of `teach`. */
function taughtSha256({ finished }: Pick<Readying, "finished">): string {
  return finished.find(({ plan }) => plan.stage === "teach")?.weightsSha256 ?? "";
}

/** A worker has built the stage's model. When all members have, they begin. */
export function ready(state: Readying, atMs: number, { name }: Worker, found: Ready__Output): Next {
  const students = state.deal.map(({ worker }) => worker);
  const isStudent = students.includes(name);
  if (!isStudent && !state.teachers.includes(name)) return [state]; // Idle in this term.
  if (!isStudent) {
    const taught = taughtSha256(state);
    if (found.weightsSha256 !== taught) {
      const message = `${name} would serve a teacher with the weights ${found.weightsSha256}, the students agreed on ${taught}`;
      return fail(state, atMs, "diverged", message);
    }
  }
  for (const other of students.filter((student) => isStudent && state.ready.has(student))) {
    for (const field of ["parameters", "step", "weightsSha256"] as const) {
      const [theirs, ours] = [state.ready.get(other)![field], found[field]];
      if (theirs === ours) continue;
      const message = `${other} and ${name} would begin ${state.plan.stage} with different ${field}: ${theirs} and ${ours}`;
      return fail(state, atMs, "diverged", message);
    }
  }
  const next = { ...state, ready: new Map(state.ready).set(name, found), sinceMs: atMs };
  return [...students, ...state.teachers].every((member) => next.ready.has(member)) ? begin(next, atMs) : [next];
}

function begin({ kind: _, ready, ...state }: Readying, atMs: number): Next {
  const { stage, steps, stepsPerEpoch } = state.plan;
  const { parameters } = ready.get(state.deal[0]!.worker)!;
  const next: Running = { ...state, kind: "running", sinceMs: atMs, parameters, tally: emptyTally };
  const begins = state.workers
    .filter(({ name }) => ready.has(name))
    .map(({ session }): Effect => ({ kind: "send", session, message: { term: state.term, begin: {}, body: "begin" } }));
  return [next, announce(atMs, { kind: "stage-started", stage, steps, stepsPerEpoch, parameters }), ...begins];
}
