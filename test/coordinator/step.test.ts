/** The protocol as a whole: whatever the order in which the network brings the workers' messages, the report is the same. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { open } from "../../coordinator/gather.ts";
import { understand } from "../../coordinator/messages.ts";
import type { Effect, Event, Plan, State } from "../../coordinator/state.ts";
import { step } from "../../coordinator/step.ts";
import type { ProgressEvent } from "../../core/events.ts";
import type { Report } from "../../core/report.ts";
import type { FromWorker } from "../../proto/gen/limbeck/v1/FromWorker.ts";
import { coordinatorService } from "../../proto/wire.ts";
import { Actor } from "./actor.ts";
import { build, testJob, testPlan } from "./jobs.ts";

const { requestSerialize, requestDeserialize } = coordinatorService.Join;

/** As it comes out of the wire. */
function carried(message: FromWorker) {
  return understand(requestDeserialize(requestSerialize(message)));
}

/** A job whose workers are heard in an order that `choose` decides: it picks one of the n that have something to say. */
class Simulation {
  readonly #plan: Plan;
  readonly #actors: readonly Actor[];
  readonly #outboxes: FromWorker[][];
  #state: State;
  readonly events: ProgressEvent[] = [];
  report: Report | null = null;

  constructor(plan: Plan, actors: readonly Actor[]) {
    this.#plan = plan;
    this.#actors = actors;
    this.#outboxes = actors.map((actor) => [actor.hello(build)]);
    this.#state = open(plan, 0)[0];
  }

  run(choose: (choices: number) => number): void {
    for (;;) {
      const speaking = [...this.#outboxes.keys()].filter((session) => this.#outboxes[session]!.length > 0);
      if (speaking.length === 0) return;
      const session = speaking[choose(speaking.length)]!;
      this.#happen({ kind: "message", session, message: carried(this.#outboxes[session]!.shift()!), atMs: 0 });
    }
  }

  get ended(): boolean {
    return this.#state.kind === "ended";
  }

  #happen(event: Event): void {
    const [next, ...effects] = step(this.#plan, this.#state, event);
    this.#state = next;
    for (const effect of effects) this.#perform(effect);
  }

  #perform(effect: Effect): void {
    if (effect.kind === "announce") this.events.push(effect.event);
    if (effect.kind === "record") this.report = effect.report;
    if (effect.kind !== "send") return;
    const said = this.#actors[effect.session]!.answer(effect.message);
    if (said) this.#outboxes[effect.session]!.push(...said);
    else this.#happen({ kind: "broken", session: effect.session, why: "gone", atMs: 0 });
  }
}

function simulate(students: number, choose: (choices: number) => number): Simulation {
  const plan = testPlan(testJob({ workers: { students, teachers: 2 }, epochs: 4 }));
  const names = Array.from({ length: students }, (_, at) => new Actor(`student-${at + 1}`, "student"));
  const simulation = new Simulation(plan, [
    ...names,
    new Actor("teacher-1", "teacher"),
    new Actor("teacher-2", "teacher"),
  ]);
  simulation.run(choose);
  return simulation;
}

const inTurn = simulate(3, () => 0);

test("a job of three students and two teachers comes to its end", () => {
  const { report, events } = inTurn;
  assert.ok(inTurn.ended);
  assert.equal(events.at(-1)!.kind, "job-finished");
  assert.deepEqual(
    report!.stages.map(({ stage, steps }) => [stage, steps]),
    [
      ["teach", 12],
      ["distil", 12],
      ["baseline", 12],
    ],
  );
  assert.deepEqual(report!.ledger, { examplesPerEpoch: 20, epochs: 4, seen: 80, duplicated: 0, missing: 0 });
  const { secondsWaited, cache, ...softTargets } = report!.softTargets;
  const none = { cached: 0, hedged: 0, askedAgain: 0, error: null };
  assert.deepEqual(softTargets, { requested: 80, bytes: 480, inputBytes: 640, ...none });
  assert.ok(secondsWaited > 0);
  assert.match(cache, /^cached: /);
  assert.deepEqual(
    [report!.teacher.test.errors, report!.student.test.errors, report!.baseline!.test.errors],
    [1, 2, 10],
  );
});

test("any interleaving of the workers' messages ends in the same report", () => {
  const property = fc.property(fc.infiniteStream(fc.nat()), (choices) => {
    const simulation = simulate(3, (count) => choices.next().value! % count);
    assert.ok(simulation.ended);
    assert.deepEqual(simulation.report, inTurn.report);
  });
  fc.assert(property, { numRuns: 60 });
});

test("evaluations do not depend on the number of students, to the last bit", () => {
  for (const students of [1, 2, 4]) {
    const { report } = simulate(students, () => 0);
    assert.deepEqual(report!.student, inTurn.report!.student);
    assert.deepEqual(report!.baseline, inTurn.report!.baseline);
  }
});

test("the steady state leaves the first steps out, and counts the global batches of the lead's reports", () => {
  // Of 12 steps the first 5 are warm-up, so reports 7-8, 9-10 and 11-12 count, 0.1 s each. An epoch is 8 + 8 + 4 examples.
  const expected = (8 + 8 + (4 + 8) + (8 + 4)) / 0.3;
  assert.ok(Math.abs(inTurn.report!.samplesPerSecond - expected) < 1e-9, `${inTurn.report!.samplesPerSecond}`);
});
