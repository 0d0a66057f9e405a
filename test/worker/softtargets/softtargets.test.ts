import assert from "node:assert/strict";
import { test } from "node:test";
import { LimbeckError } from "../../../core/errors.ts";
import type { SoftTargets } from "../../../proto/gen/limbeck/v1/SoftTargets.ts";
import type { SoftTargetClient } from "../../../worker/softtargets/client.ts";
import { ask, classes, logitsOf, openTeacher, spoiled } from "./teachers.ts";

const never = new AbortController().signal;
const key = { teacher: "t1", dataset: "d1", examples: Uint32Array.of(7, 70_000, 3), view: 2 };

const flip = (bytes: Uint8Array) => Uint8Array.from(bytes, (byte, at) => (at === 5 ? byte ^ 1 : byte));

for (const format of ["float16", "float32"] as const) {
  test(`logits come for the examples and view that were asked, as ${format}, and are counted`, async (t) => {
    const teacher = await openTeacher(t, "teacher-1");
    const client = ask(t, [teacher.member], { format: { kind: format } });
    const answers = await Promise.all([0, 1, 2].map((view) => client.request({ ...key, view }, never)));
    assert.deepEqual(
      answers,
      [0, 1, 2].map((view) => logitsOf(key.examples, view)),
    );
    const bytes = 9 * classes * (format === "float16" ? 2 : 4);
    const { payloadError, ...counts } = client.takeCounts();
    assert.deepEqual(counts, {
      softTargets: 9,
      softTargetBytes: bytes,
      softTargetInputBytes: 0,
      hedged: 0,
      askedAgain: 0,
    });
    assert.deepEqual(payloadError, { examples: format === "float16" ? 3 : 0, sum: 0, max: 0 });
    assert.equal(client.takeCounts().softTargets, 0);
    const { busySeconds, ...served } = teacher.server.counts;
    assert.deepEqual(served, {
      requests: 3,
      passes: 3,
      examples: 9,
      bytes,
      refused: 0,
      waiting: 0,
      waitingExamples: 0,
    });
    assert.ok(busySeconds > 0);
  });
}

test("every request is one forward pass of its own, in order (L1)", async (t) => {
  const teacher = await openTeacher(t, "teacher-1");
  const client = ask(t, [teacher.member]);
  const batches = [Uint32Array.of(1), Uint32Array.of(2, 3), Uint32Array.of(2, 3), Uint32Array.of(4, 5, 6)];
  await Promise.all(batches.map((examples) => client.request({ ...key, examples }, never)));
  assert.deepEqual(teacher.passes, batches);
});

test("logits that float16 cannot hold come as float32, never as infinity", async (t) => {
  const logits = Float32Array.of(1e6, -1, 0);
  const teacher = await openTeacher(t, "teacher-1", { answer: async () => logits });
  assert.deepEqual(await ask(t, [teacher.member]).request({ ...key, examples: Uint32Array.of(1) }, never), logits);
});

test("float16 rounds to the nearest of its values, down to the smallest and with both zeros", async (t) => {
  const logits = Float32Array.of(1 / 3, -0, 2 ** -24, -65504, 2 ** -14, 3 * 2 ** -25);
  const teacher = await openTeacher(t, "teacher-1", { answer: async () => logits });
  const got = await ask(t, [teacher.member]).request({ ...key, examples: Uint32Array.of(1, 2) }, never);
  assert.deepEqual([...got], [0.333251953125, -0, 2 ** -24, -65504, 2 ** -14, 2 ** -23]);
});

for (const [part, wrong] of [
  ["teacher", "t2"],
  ["dataset", "d2"],
] as const) {
  test(`a teacher asked for another ${part} refuses (L6)`, async (t) => {
    const teacher = await openTeacher(t, "teacher-1");
    await assert.rejects(ask(t, [teacher.member]).request({ ...key, [part]: wrong }, never), {
      code: "wrong_key",
      message: /teacher-1/,
    });
    assert.equal(teacher.passes.length, 0);
    assert.equal(teacher.server.counts.refused, 1);
  });
}

for (const [part, wrong] of Object.entries({ teacher: "t2", dataset: "d2", view: 3, examplesCrc32: 1 })) {
  test(`a reply for another ${part} is refused (L6)`, async (t) => {
    const teacher = await openTeacher(t, "teacher-1");
    const lying = await spoiled(t, teacher, (reply) => ({ ...reply, [part]: wrong }));
    await assert.rejects(ask(t, [lying]).request(key, never), { code: "wrong_key", message: /teacher-1 answered for/ });
  });
}

/** Asks until the teacher counts as lost, for which reason, and no answer was taken. */
async function turnedAway(client: SoftTargetClient, lost: readonly string[]): Promise<string> {
  const stop = new AbortController();
  const asked = client.request(key, stop.signal);
  while (lost.length === 0) await new Promise((resolve) => setTimeout(resolve, 2));
  assert.match(client.waitingFor, /^a teacher: none is left in term/);
  assert.equal(client.takeCounts().softTargets, 0);
  stop.abort(new LimbeckError("stopped", "the next term"));
  await assert.rejects(asked, { code: "stopped", message: "the next term" });
  return lost[0]!;
}

test("a request of another term is refused by the teacher, an answer of another term by the student, who waits for a teacher of its own (L3)", async (t) => {
  const teacher = await openTeacher(t, "teacher-1");
  const lost: string[] = [];
  const onLost = (_: string, why: string) => lost.push(why);
  assert.match(await turnedAway(ask(t, [teacher.member], { term: 2, onLost }), lost), /serves term 1/);
  lost.length = 0;
  const late = await spoiled(t, teacher, (reply) => ({ ...reply, term: 9 }));
  assert.match(await turnedAway(ask(t, [late], { onLost }), lost), /term 9 in term 1/);
});

test("an answer that was computed while its term ended is not given (L3)", async (t) => {
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const answer = async (examples: Uint32Array, view: number) => held.then(() => logitsOf(examples, view));
  const teacher = await openTeacher(t, "teacher-1", { answer });
  const lost: string[] = [];
  const client = ask(t, [teacher.member], { onLost: (_, why) => lost.push(why) });
  const ended = turnedAway(client, lost);
  while (teacher.server.counts.requests === 0) await new Promise((resolve) => setTimeout(resolve, 2));
  teacher.server.stop();
  release();
  assert.match(await ended, /serves none/);
});

test("a teacher that left the term is asked no more, one that came is, and what the first owed is asked of it", async (t) => {
  const leaving = await openTeacher(t, "teacher-1", { answer: () => new Promise(() => {}) });
  const lost: string[] = [];
  const client = ask(t, [leaving.member], { onLost: (worker) => lost.push(worker) });
  const asked = [0, 1, 2].map((view) => client.request({ ...key, view }, never));
  while (leaving.server.counts.requests < 3) await new Promise((resolve) => setTimeout(resolve, 2));
  client.teachersAre([]);
  while (!client.isStranded) await new Promise((resolve) => setTimeout(resolve, 2));
  assert.equal(client.waitingFor, "a teacher: none is left in term 1");
  client.teachersAre([(await openTeacher(t, "teacher-2")).member]);
  const expected = [0, 1, 2].map((view) => logitsOf(key.examples, view));
  assert.deepEqual(await Promise.all(asked), expected);
  assert.deepEqual(lost, [], "nobody is under suspicion");
  assert.equal(client.takeCounts().askedAgain, 3);
});

test("logits that arrive damaged or short are asked for again, and given up after three times", async (t) => {
  const teacher = await openTeacher(t, "teacher-1");
  const damaged = (reply: SoftTargets) => ({ ...reply, logits: flip(reply.logits as Uint8Array) });
  const twice = await spoiled(t, teacher, (reply, count) => (count < 3 ? damaged(reply) : reply));
  assert.deepEqual(await ask(t, [twice]).request(key, never), logitsOf(key.examples, key.view));
  assert.equal(teacher.passes.length, 3);
  const always = await spoiled(t, teacher, damaged);
  await assert.rejects(ask(t, [always]).request(key, never), { code: "corrupt", message: /teacher-1/ });
  await assert.rejects(ask(t, [teacher.member], { classes: 4 }).request(key, never), {
    code: "corrupt",
    message: /should be 12 values/,
  });
});

test("a failure of the teacher arrives with its code and its name", async (t) => {
  const answer = () => Promise.reject(new LimbeckError("bad_data", "example 9 is missing"));
  const teacher = await openTeacher(t, "teacher-1", { answer });
  await assert.rejects(ask(t, [teacher.member]).request(key, never), {
    code: "bad_data",
    message: "teacher-1: example 9 is missing",
  });
});

test("a teacher that does not answer is named when the deadline has passed, and a signal ends the wait (L7)", async (t) => {
  const teacher = await openTeacher(t, "teacher-1", { answer: () => new Promise(() => {}) });
  const lost: string[] = [];
  const client = ask(t, [teacher.member], { deadlineMs: 60, onLost: (worker, why) => lost.push(`${worker}: ${why}`) });
  const stop = new AbortController();
  const ended = client.request(key, stop.signal);
  assert.equal(client.waitingFor, "1 answers of teacher-1");
  while (lost.length === 0) await new Promise((resolve) => setTimeout(resolve, 2));
  assert.deepEqual(lost, ["teacher-1: teacher-1 did not answer for 3 soft targets within 60 ms"]);
  assert.equal(client.waitingFor, "a teacher: none is left in term 1");
  assert.equal(client.standing.stranded, 1);
  stop.abort(new LimbeckError("stopped", "Ctrl-C"));
  await assert.rejects(ended, { code: "stopped", message: "Ctrl-C" });
  assert.equal(client.waitingFor, "");
});

test("two teachers share the requests", async (t) => {
  const teachers = await Promise.all([openTeacher(t, "teacher-1"), openTeacher(t, "teacher-2")]);
  const client = ask(
    t,
    teachers.map((teacher) => teacher.member),
  );
  await Promise.all(Array.from({ length: 10 }, () => client.request(key, never)));
  assert.deepEqual(
    teachers.map((teacher) => teacher.passes.length),
    [5, 5],
  );
});

test("a teacher that dies leaves its outstanding requests to the other; with none left the student waits for another term", async (t) => {
  const dying = await openTeacher(t, "teacher-1", { answer: () => new Promise(() => {}) });
  const other = await openTeacher(t, "teacher-2");
  const lost: string[] = [];
  const client = ask(t, [dying.member, other.member], { onLost: (worker) => lost.push(worker) });
  const asked = [0, 1, 2, 3].map((view) => client.request({ ...key, view }, never));
  while (dying.server.counts.requests === 0) await new Promise((resolve) => setTimeout(resolve, 2));
  dying.close();
  assert.deepEqual(
    await Promise.all(asked),
    [0, 1, 2, 3].map((view) => logitsOf(key.examples, view)),
  );
  other.close();
  const waiting = client.request(key, never);
  while (lost.length < 2) await new Promise((resolve) => setTimeout(resolve, 2));
  assert.deepEqual(lost, ["teacher-1", "teacher-2"]);
  assert.equal(client.waitingFor, "a teacher: none is left in term 1");
  client.close();
  await assert.rejects(waiting, { code: "stopped" });
});

test("closing ends what is outstanding as stopped", async (t) => {
  const teacher = await openTeacher(t, "teacher-1", { answer: () => new Promise(() => {}) });
  const client = ask(t, [teacher.member]);
  const asked = client.request(key, never);
  client.close();
  await assert.rejects(asked, { code: "stopped" });
});

test("a student that asks far ahead does not hold up another, nor fill the teacher's memory", async (t) => {
  let open = () => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const order: number[] = [];
  const answer = async (examples: Uint32Array, view: number) => {
    order.push(view);
    await gate;
    return logitsOf(examples, view);
  };
  const teacher = await openTeacher(t, "teacher-1", { answer });
  const [greedy, modest] = [ask(t, [teacher.member]), ask(t, [teacher.member])];
  const far = Array.from({ length: 200 }, () => greedy.request({ ...key, view: 1 }, never));
  while (teacher.server.counts.waiting < 32) await new Promise((resolve) => setTimeout(resolve, 2));
  const near = [modest.request({ ...key, view: 2 }, never), modest.request({ ...key, view: 2 }, never)];
  while (teacher.server.counts.waiting < 34) await new Promise((resolve) => setTimeout(resolve, 2));
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.ok(teacher.server.counts.waiting < 60, `${teacher.server.counts.waiting} requests wait`);
  open();
  await Promise.all([...far, ...near]);
  const turns = order.flatMap((view, at) => (view === 2 ? [at] : []));
  assert.ok(
    turns.every((turn) => turn < 6),
    `the modest student's turns were ${turns}`,
  );
});
