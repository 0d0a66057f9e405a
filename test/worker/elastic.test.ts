/** Members come, go, lag and lose their coordinator, and the weights have the bits of a run that nothing disturbed (L1). */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import type { Job } from "../../core/job.ts";
import { packagePath } from "../../proto/package.ts";
import { smokeJob } from "./foreman.ts";
import { Troupe } from "./troupe.ts";

/** Several processes load an engine each, on machines that may have much to do. */
const bounded = { timeout: 180_000 };

const quiet = ["engine=wasm", "evaluation.everyEpochs=0", "checkpoint.everySteps=0", "verification.everySteps=0"];
const steps = 60;
/** Wide enough that a step takes a while, in which things can happen. */
const wide = [
  "teacher={kind: mlp, widths: [256], dropout: {input: 0.1, hidden: 0.2}}",
  `teach={steps: ${steps}, optimizer: {kind: adam, learningRate: 0.002}, views: {shift: 1}}`,
];

function job(...more: string[]): Job {
  return smokeJob(...wide, ...quiet, ...more);
}

let undisturbed = "";

test("nothing disturbs it", bounded, async (t) => {
  const troupe = await open(t);
  const students = await troupe.hire("student-1");
  await troupe.start(students);
  undisturbed = await troupe.finish(students);
  assert.match(undisturbed, /^[0-9a-f]{64}$/);
});

async function open(t: TestContext, ...more: string[]): Promise<Troupe> {
  return await new Troupe(t, job(...more)).open();
}

test(
  "a member is killed in the middle of an exchange: the others name it, wait, and redo the step",
  bounded,
  async (t) => {
    const troupe = await open(t);
    const students = await troupe.hire("student-1", "student-2", "student-3");
    const [first, second, third] = students;
    await troupe.start(students);
    await third!.reached(20);
    third!.run.process.kill("SIGKILL");
    const { suspect } = await first!.hear("suspect");
    assert.equal(suspect!.worker, "student-3");
    const waits = await first!.hear("heartbeat", ({ heartbeat }) => /the next term/.test(heartbeat!.waitingFor));
    assert.match(waits.heartbeat!.doing, /waiting for the term after 1/);
    const survivors = [first!, second!];
    const { step } = await troupe.start(survivors);
    assert.ok(step >= 20 && step < steps, `they go on from step ${step}`);
    assert.equal(await troupe.finish(survivors), undisturbed);
  },
);

test("planned terms follow each other under other deals, and a new member takes the state", bounded, async (t) => {
  const troupe = await open(t);
  const students = await troupe.hire("student-1", "student-2");
  await troupe.start(students);
  let reached = 0;
  for (let term = 0; term < 10 && reached < steps - 10; term++) {
    const { step, behind } = await troupe.start(students, { planned: true, weights: [1 + (term % 3), 1] });
    assert.ok(Math.max(...behind) <= 1, `${behind}: nobody may be further behind`);
    reached = step;
    await setTimeout(7 * (term % 5));
  }
  const [third] = await troupe.hire("student-3");
  const all = [...students, third!];
  const { step, behind } = await troupe.start(all, { planned: true });
  assert.equal(behind[2], step, "the new one has nothing yet");
  assert.equal(await troupe.finish(all), undisturbed);
});

test("one that follows is at most a step behind when it enters", bounded, async (t) => {
  const troupe = await open(t);
  const [first, joiner] = await troupe.hire("student-1", "student-2");
  await troupe.start([first!]);
  await first!.reached(5);
  const { address, host } = first!.hello!;
  const source = { worker: "student-1", address, host };
  joiner!.send({ term: 1, follow: { stage: "teach", steps, source }, body: "follow" });
  const { caughtUp } = await joiner!.hear("caughtUp");
  assert.ok(caughtUp!.step > 0);
  await setTimeout(50);
  const { step, behind } = await troupe.start([first!, joiner!], { planned: true });
  assert.ok(Math.max(...behind) <= 1, `${behind} behind step ${step}`);
  assert.equal(await troupe.finish([first!, joiner!]), undisturbed);
});

test("a fenced one joins as new under another instance, and is made equal again", bounded, async (t) => {
  const troupe = await open(t);
  const students = await troupe.hire("student-1", "student-2");
  await troupe.start(students);
  const [first, fenced] = students;
  await fenced!.reached(10);
  const { instance } = fenced!.hello!;
  const said = fenced!.heard.length;
  fenced!.fence();
  const hello = await fenced!.hear("hello", () => true, said);
  assert.equal(hello.term, 0);
  assert.notEqual(hello.hello!.instance, instance);
  await fenced!.hear("prepared", () => true, said);
  const { step, behind } = await troupe.start([first!, fenced!]);
  assert.equal(behind[1], step);
  assert.equal(await troupe.finish(students), undisturbed);
});

test("without a coordinator they go on; one that is back hears all of it", bounded, async (t) => {
  const troupe = await open(t);
  const students = await troupe.hire("student-1", "student-2");
  await troupe.start(students);
  await students[0]!.reached(5);
  troupe.lose();
  await setTimeout(1_500);
  troupe.rejoins = true;
  await troupe.open();
  assert.equal(await troupe.finish(students), undisturbed);
  for (const { heard } of students) {
    assert.equal(heard.filter(({ hello }) => hello).at(-1)!.term, 1);
    const told = heard.flatMap(({ progress }) => progress ?? []);
    let [reached, gaps] = [0, 0];
    for (const { step, steps: since } of told) {
      assert.ok(step - since >= reached, `steps ${step - since + 1} to ${step} are told after step ${reached}`);
      if (step - since > reached) gaps += 1;
      reached = step;
    }
    assert.equal(reached, steps);
    // What was on its way when the session broke is lost with it; figures, which nothing is decided by.
    assert.ok(gaps <= 1, `${gaps} gaps in what was told`);
  }
});

test("it leaves in order: works on until a term is without it", bounded, async (t) => {
  const troupe = await open(t);
  const students = await troupe.hire("student-1", "student-2");
  const [first, leaving] = students;
  await troupe.start(students);
  await first!.reached(5);
  leaving!.run.process.kill("SIGTERM");
  assert.equal((await leaving!.hear("leaving")).leaving!.why, "SIGTERM");
  const { step } = (await first!.hear("progress", () => true, first!.heard.length)).progress!;
  const { address, host } = first!.hello!;
  const member = { worker: "student-1", address, host, firstLane: 0, lanes: troupe.job.lanes.count };
  leaving!.send({ term: 2, assign: { stage: "teach", steps, students: [member], planned: true }, body: "assign" });
  await troupe.start([first!], { planned: true });
  assert.equal((await leaving!.run.ended).code, 0);
  assert.ok(step > 5);
  assert.equal(await troupe.finish([first!]), undisturbed);
});

test(
  "a teacher dies: the student names it and waits in sight, and goes on with another that has the same weights",
  bounded,
  async (t) => {
    const brief = "teach={steps: 5, optimizer: {kind: sgd, learningRate: 0.1}}";
    const distil = "distil={temperature: 4, softWeight: 0.7, steps: 40, optimizer: {kind: sgd, learningRate: 0.1}}";
    const slow = `student={module: ${packagePath("test/fixtures/models/waiting.ts")}}`;
    const troupe = await open(t, brief, distil, slow);
    const [student, dying, other] = await troupe.hire("student-1", "teacher-1", "teacher-2");
    await troupe.start([student!]);
    const teacherSha256 = await troupe.finish([student!]);
    const { address, host } = student!.hello!;
    const teacherSources = [{ worker: "student-1", address, host }];
    const taught = { stage: "distil" as const, teacherSha256, teacherSources };
    await troupe.start([student!], { ...taught, teaching: [dying!] });
    await student!.hear("progress", ({ progress }) => progress!.stage === "distil");
    dying!.run.process.kill("SIGKILL");
    const { suspect } = await student!.hear("suspect");
    assert.equal(suspect!.worker, "teacher-1");
    await student!.hear("heartbeat", ({ heartbeat }) => heartbeat!.waitingFor === "a teacher: none is left in term 2");
    // Another one is made ready before it gets its place.
    const follow = { stage: "distil", steps: 40, source: null, teacherSha256, teacherSources };
    other!.send({ term: 2, follow, body: "follow" });
    await other!.hear("caughtUp");
    const { step } = await troupe.start([student!], { ...taught, teaching: [other!] });
    assert.ok(step > 0 && step < 40);
    await troupe.finish([student!]);
    assert.equal(other!.heard.find(({ ready }) => ready)!.ready!.weightsSha256, teacherSha256);
    assert.deepEqual(other!.heard.find(({ ready }) => ready)!.ready!.holds, ["teach"]);
  },
);
