/** Several teachers and students on loopback: who is asked, what is merged, and what becomes of those that are late or gone. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { LimbeckError } from "../../../core/errors.ts";
import { ask, classes, logitsOf, openTeacher } from "./teachers.ts";

const never = new AbortController().signal;
const key = { teacher: "t1", dataset: "d1", examples: Uint32Array.of(7, 70_000, 3), view: 2 };
const slow = (ms: number) => async (examples: Uint32Array, view: number) => {
  await setTimeout(ms);
  return logitsOf(examples, view);
};

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + 10_000; !(await isSo()); await setTimeout(2))
    assert.ok(Date.now() < deadline, "in time");
}

function gate() {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, opened };
}

test("a teacher that is slower gets less to do, in the measure it is slower", async (t) => {
  const [fast, lame] = [
    await openTeacher(t, "teacher-1", { answer: slow(2) }),
    await openTeacher(t, "teacher-2", { answer: slow(20) }),
  ];
  const client = ask(t, [fast.member, lame.member]);
  let done = 0;
  const asker = async () => {
    while (done++ < 150) await client.request(key, never);
  };
  await Promise.all([asker(), asker(), asker(), asker()]);
  const [many, few] = [fast.server.counts.passes, lame.server.counts.passes];
  assert.ok(few > 0 && few * 4 < many, `${few} and ${many} passes`);
});

test("a late answer is asked of another teacher, too; the first answer is taken and the other request is forgotten", async (t) => {
  const { open, opened } = gate();
  const stuck = await openTeacher(t, "teacher-1", {
    answer: async (examples, view) => {
      if (view === 9) await opened;
      return logitsOf(examples, view);
    },
  });
  const other = await openTeacher(t, "teacher-2");
  const client = ask(t, [stuck.member, other.member]);
  const four = (view: number) => Promise.all([1, 2, 3, 4].map(() => client.request({ ...key, view }, never)));
  // So many at once that both are asked, and known to be quick.
  for (let view = 0; view < 10; view++) await four(view % 2);
  const warmUp = 40 + client.takeCounts().hedged;
  // What was asked of both is on its way to the later one still.
  await until(() => stuck.server.counts.requests + other.server.counts.requests === warmUp);
  const before = stuck.server.counts.requests;
  for (const logits of await four(9)) assert.deepEqual(logits, logitsOf(key.examples, 9));
  const { hedged, softTargets, askedAgain } = client.takeCounts();
  // Who asked the one that is stuck asked the other, too; nobody else had a reason to ask two.
  assert.ok(hedged >= 1, "some asked the one that is stuck");
  await until(() => stuck.server.counts.requests === before + hedged);
  assert.deepEqual([softTargets, askedAgain], [12, 0]);
  await until(() => stuck.server.counts.waiting === 0);
  open();
});

test("what is not needed yet is not hedged", async (t) => {
  const { open, opened } = gate();
  const answer = async (examples: Uint32Array, view: number) => {
    if (view === 9) await opened;
    return logitsOf(examples, view);
  };
  const teachers = [await openTeacher(t, "teacher-1", { answer }), await openTeacher(t, "teacher-2", { answer })];
  const client = ask(
    t,
    teachers.map(({ member }) => member),
  );
  for (let view = 0; view < 40; view++) await client.request({ ...key, view: 0 }, never);
  client.takeCounts();
  const asked = client.request({ ...key, view: 9 }, never, 60_000);
  await setTimeout(200);
  assert.equal(client.takeCounts().hedged, 0);
  open();
  await asked;
});

test("a teacher that comes back at its address is asked again, in the same term", async (t) => {
  const first = await openTeacher(t, "teacher-1");
  const lost: string[] = [];
  const client = ask(t, [first.member], { onLost: (worker) => lost.push(worker) });
  await client.request(key, never);
  first.close();
  const waiting = client.request(key, never);
  await until(() => lost.length > 0);
  assert.equal(client.waitingFor, "a teacher: none is left in term 1");
  const port = Number(first.member.address.split(":")[1]);
  await openTeacher(t, "teacher-1", {}, port);
  assert.deepEqual(await waiting, logitsOf(key.examples, key.view));
  assert.deepEqual(lost, ["teacher-1"], "it is told of once");
});

test("onNoTeacher: fail fails where no teacher is left, and says why", async (t) => {
  const teacher = await openTeacher(t, "teacher-1");
  const client = ask(t, [teacher.member], { onNoTeacher: "fail" });
  await client.request(key, never);
  teacher.close();
  await assert.rejects(client.request(key, never), {
    code: "unavailable",
    message: "no teacher is left in term 1, and the job says softTargets.onNoTeacher: fail",
  });
});

const away = () => Promise.reject(new LimbeckError("server_away", "digits at triton:8001 is away"));

test("a teacher whose server is away is passed over, and asked again when that is back", async (t) => {
  let isAway = true;
  const answer = async (examples: Uint32Array, view: number) => (isAway ? away() : logitsOf(examples, view));
  const cut = await openTeacher(t, "teacher-1", { answer });
  const whole = await openTeacher(t, "teacher-2");
  const lost: string[] = [];
  const client = ask(t, [cut.member, whole.member], { onLost: (worker) => lost.push(worker) });
  for (let view = 0; view < 40; view++) assert.equal((await client.request({ ...key, view }, never)).length, 9);
  assert.ok(cut.server.counts.requests < 10, `${cut.server.counts.requests} requests to who cannot answer`);
  isAway = false;
  await until(async () => {
    await client.request(key, never);
    return cut.server.counts.examples > 0;
  });
  assert.deepEqual(lost, [], "it lives");
});

test("with no other teacher the student waits and says for what, and goes on by itself", async (t) => {
  const { open, opened } = gate();
  let isAway = true;
  const answer = async (examples: Uint32Array, view: number) => {
    await opened;
    return isAway ? away() : logitsOf(examples, view);
  };
  const teacher = await openTeacher(t, "teacher-1", { answer });
  const client = ask(t, [teacher.member]);
  const asked = [1, 2, 3, 4, 5, 6].map((view) => client.request({ ...key, view }, never));
  await until(() => teacher.server.counts.requests === 6);
  open();
  await until(() => client.isServerAway);
  assert.equal(client.waitingFor, "a teacher: teacher-1: digits at triton:8001 is away");
  assert.equal(client.isStranded, false, "another teacher would not help");
  assert.ok(teacher.server.counts.passes < 6, "what waited is not tried in turn");
  isAway = false;
  assert.deepEqual(
    await Promise.all(asked),
    [1, 2, 3, 4, 5, 6].map((view) => logitsOf(key.examples, view)),
  );
  assert.equal(client.waitingFor, "");
  assert.equal(client.isServerAway, false);
});

test("onNoTeacher: fail fails where the only teacher's server is away, with its reason", async (t) => {
  const teacher = await openTeacher(t, "teacher-1", { answer: away });
  await assert.rejects(ask(t, [teacher.member], { onNoTeacher: "fail" }).request(key, never), {
    code: "server_away",
    message:
      "no teacher can answer now: teacher-1: digits at triton:8001 is away, and the job says softTargets.onNoTeacher: fail",
  });
});

test("requests of several students are one pass where numerics are fast, and each gets its own rows", async (t) => {
  const { open, opened } = gate();
  const passes: Uint32Array[] = [];
  const answer = async (examples: Uint32Array, view: number) => {
    passes.push(examples);
    await opened;
    return logitsOf(examples, view);
  };
  const teacher = await openTeacher(t, "teacher-1", { answer, mergesUpTo: 1_000 });
  const students = [1, 2, 3].map(() => ask(t, [teacher.member]));
  const asked = Array.from({ length: 12 }, (_, at) => {
    const examples = Uint32Array.of(at, 50 + at);
    return { examples, logits: students[at % 3]!.request({ ...key, examples }, never) };
  });
  await until(() => teacher.server.counts.requests === 12);
  open();
  for (const { examples, logits } of asked) assert.deepEqual(await logits, logitsOf(examples, key.view));
  assert.ok(passes.length <= 4, `${passes.length} passes`);
  assert.equal(passes.flatMap((examples) => [...examples]).length, 24);
});

test("what fails in a merged pass is told to all that were in it", async (t) => {
  const { open, opened } = gate();
  const answer = async (): Promise<Float32Array> => {
    await opened;
    throw new LimbeckError("bad_data", "the disk is gone");
  };
  const teacher = await openTeacher(t, "teacher-1", { answer, mergesUpTo: 1_000 });
  const client = ask(t, [teacher.member]);
  const asked = Promise.allSettled([1, 2, 3, 4].map(() => client.request(key, never)));
  await until(() => teacher.server.counts.requests === 4);
  open();
  for (const each of await asked) {
    assert.equal(each.status === "rejected" && each.reason.message, "teacher-1: the disk is gone");
  }
  assert.equal(teacher.server.counts.refused, 4);
});

test("exact numerics never merge, and who runs dry is served before who asks far ahead", async (t) => {
  const { open, opened } = gate();
  const order: number[] = [];
  const answer = async (examples: Uint32Array, view: number) => {
    assert.equal(examples.length, 3);
    order.push(view);
    await opened;
    return logitsOf(examples, view);
  };
  const teacher = await openTeacher(t, "teacher-1", { answer });
  const [ahead, dry] = [ask(t, [teacher.member]), ask(t, [teacher.member])];
  const far = Array.from({ length: 10 }, () => ahead.request({ ...key, view: 1 }, never, 5_000));
  await until(() => teacher.server.counts.requests === 10);
  const near = Array.from({ length: 3 }, () => dry.request({ ...key, view: 2 }, never, 0));
  await until(() => teacher.server.counts.requests === 13);
  open();
  await Promise.all([...far, ...near]);
  // Two passes were under way when the others came.
  assert.deepEqual(order.slice(2, 5), [2, 2, 2]);
});

test("the largest logits with the tail's mass travel, and what that costs is measured", async (t) => {
  const teacher = await openTeacher(t, "teacher-1", { temperature: 2 });
  const client = ask(t, [teacher.member], { format: { kind: "topk", k: 1, temperature: 2 } });
  const logits = await client.request(key, never);
  for (let at = 0; at < key.examples.length; at++) {
    const row = logits.subarray(at * classes, (at + 1) * classes);
    const given = logitsOf(key.examples, key.view).subarray(at * classes, (at + 1) * classes);
    assert.equal(row[2], given[2]);
    assert.equal(row[0], row[1]);
    assert.ok(row[0]! > given[0]! && row[0]! < given[1]!);
  }
  const { payloadError, softTargetBytes } = client.takeCounts();
  assert.equal(softTargetBytes, 3 * 8);
  assert.equal(payloadError.examples, 3);
  assert.ok(payloadError.max > 0 && payloadError.max < 0.01);
});

test("what no term of the job could answer is refused before it waits, and fails nobody else's pass", async (t) => {
  const { open, opened } = gate();
  const teacher = await openTeacher(t, "teacher-1", {
    ...{ trainExamples: 80_000, mostExamples: 3, mergesUpTo: 100 },
    answer: async (examples, view) => {
      await opened;
      return logitsOf(examples, view);
    },
  });
  const client = ask(t, [teacher.member]);
  const good = [1, 2, 3].map(() => client.request(key, never));
  const wrong = ask(t, [teacher.member]);
  const beyond = wrong.request({ ...key, examples: Uint32Array.of(80_000) }, never);
  await assert.rejects(beyond, { message: /example 80000 was asked for, the dataset has 80000/ });
  const many = wrong.request({ ...key, examples: Uint32Array.of(1, 2, 3, 4) }, never);
  await assert.rejects(many, { message: /4 soft targets were asked for at once, at most 3/ });
  open();
  for (const logits of good) assert.deepEqual(await logits, logitsOf(key.examples, 2));
});
