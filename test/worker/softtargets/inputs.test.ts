/** Inputs that travel with the keys: what the teacher gets, what it refuses, and what its answer must say of them (L6). */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { parseJob } from "../../../core/jobfile.ts";
import type { SoftTargetRequest } from "../../../proto/gen/limbeck/v1/SoftTargetRequest.ts";
import type { SoftTargets } from "../../../proto/gen/limbeck/v1/SoftTargets.ts";
import { teacherClient } from "../../../proto/wire.ts";
import { joinedIds } from "../../../worker/ids.ts";
import { checksum } from "../../../worker/kernels/checksum.ts";
import { checkInputsFit, type InputSource } from "../../../worker/softtargets/inputs.ts";
import type { Serving } from "../../../worker/softtargets/server.ts";
import { text } from "../../core/samplejob.ts";
import { ask, classes, openTeacher, spoiled } from "./teachers.ts";

const never = new AbortController().signal;
const features = 2;
const key = { teacher: "t1", dataset: "d1", examples: Uint32Array.of(7, 70_000, 3), view: 2 };

/** Tells the example and its view. */
const inputsOf = (examples: Uint32Array, view: number) =>
  Float32Array.from({ length: examples.length * features }, (_, at) =>
    at % 2 ? view : (examples[at >> 1]! % 100) / 8,
  );
const logitsOf = (inputs: Float32Array) =>
  Float32Array.from({ length: (inputs.length / features) * classes }, (_, at) => {
    const row = Math.floor(at / classes) * features;
    return inputs[row]! + 16 * inputs[row + 1]! + (at % classes);
  });
const floatsIn = (payload: readonly Uint8Array[]) => new Float32Array(Uint8Array.from(Buffer.concat(payload)).buffer);

function source(mostExamples = 1_000): InputSource & { readonly made: number[] } {
  const made: number[] = [];
  return {
    made,
    mostExamples,
    async of(examples, view) {
      made.push(examples.length);
      return inputsOf(examples, view);
    },
  };
}

/** A teacher that knows no example but by its inputs. */
function blindTeacher(t: TestContext, changes: Partial<Serving> = {}) {
  const answer: Serving["answer"] = async (_, __, inputs) => logitsOf(floatsIn(inputs));
  return openTeacher(t, "teacher-1", { inputFloats: features, answer, ...changes });
}

const flipped = (bytes: Uint8Array) => Uint8Array.from(bytes, (byte, at) => (at === 5 ? byte ^ 1 : byte));

/** One request as it goes over the wire, and what is said to it. */
async function refusalOf(t: TestContext, address: string, changes: Partial<SoftTargetRequest>) {
  const inputs = Buffer.from(inputsOf(key.examples, key.view).buffer);
  const usual = { inputs, inputsChecksum: checksum(inputs, 0) };
  const wire = { ...key, examples: Buffer.from(key.examples.buffer) };
  const client = teacherClient(address);
  t.after(() => client.close());
  const stream = client.softTargets();
  t.after(() => stream.cancel());
  stream.on("error", () => {});
  stream.write({ term: 1, request: 1, format: "float16", key: wire, ...usual, ...changes });
  for await (const { errorCode, error } of stream) return { errorCode, error };
  throw new Error("nothing is said");
}

test("logits are those of the inputs that were sent, in one pass, and their bytes are counted", async (t) => {
  const passes: number[] = [];
  const teacher = await blindTeacher(t, {
    answer: async (examples, _, inputs) => {
      passes.push(examples.length);
      return logitsOf(floatsIn(inputs));
    },
  });
  const inputs = source();
  const client = ask(t, [teacher.member], { inputs });
  assert.deepEqual(await client.request(key, never), logitsOf(inputsOf(key.examples, key.view)));
  assert.deepEqual([passes, inputs.made], [[3], [3]]);
  assert.equal(client.takeCounts().softTargetInputBytes, 3 * features * 4);
});

test("requests of several students with their inputs are one pass where numerics are fast, each with its own rows", async (t) => {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  const passes: number[] = [];
  const answer: Serving["answer"] = async (examples, _, inputs) => {
    passes.push(examples.length);
    await opened;
    return logitsOf(floatsIn(inputs));
  };
  const teacher = await blindTeacher(t, { answer, mergesUpTo: 1_000 });
  const students = [1, 2, 3].map(() => ask(t, [teacher.member], { inputs: source() }));
  const asked = Array.from({ length: 12 }, (_, at) => {
    const examples = Uint32Array.of(at, 50 + at);
    return { examples, logits: students[at % 3]!.request({ ...key, examples }, never) };
  });
  while (teacher.server.counts.requests < 12) await setTimeout(2);
  open();
  for (const { examples, logits } of asked) assert.deepEqual(await logits, logitsOf(inputsOf(examples, key.view)));
  assert.ok(passes.length <= 4, `${passes.length} passes`);
});

test("what no message holds goes in parts", async (t) => {
  const teacher = await blindTeacher(t);
  const inputs = source(2);
  const examples = joinedIds([key.examples, Uint32Array.of(9, 11)]);
  const client = ask(t, [teacher.member], { inputs });
  assert.deepEqual(await client.request({ ...key, examples }, never), logitsOf(inputsOf(examples, key.view)));
  assert.deepEqual(inputs.made, [2, 2, 1]);
  assert.equal(client.takeCounts().softTargets, 5);
});

test("what is asked for again is made once and sent twice", async (t) => {
  const teacher = await blindTeacher(t);
  const inputs = source();
  const damaged = (reply: SoftTargets) => ({ ...reply, logits: flipped(reply.logits as Uint8Array) });
  const once = await spoiled(t, teacher, (reply, count) => (count === 1 ? damaged(reply) : reply));
  const client = ask(t, [once], { inputs });
  assert.deepEqual(await client.request(key, never), logitsOf(inputsOf(key.examples, key.view)));
  assert.deepEqual(inputs.made, [3]);
  const { askedAgain, softTargetInputBytes } = client.takeCounts();
  assert.deepEqual([askedAgain, softTargetInputBytes], [1, 2 * 3 * features * 4]);
});

test("where the first is late a second teacher gets the same inputs, made once", async (t) => {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  const answer: Serving["answer"] = async (_, view, inputs) => {
    if (view === 9) await opened;
    return logitsOf(floatsIn(inputs));
  };
  const teachers = [await blindTeacher(t, { answer }), await blindTeacher(t)];
  const inputs = source();
  const client = ask(
    t,
    teachers.map(({ member }, at) => ({ ...member, worker: `teacher-${at + 1}` })),
    { inputs },
  );
  const four = (view: number) => Promise.all([1, 2, 3, 4].map(() => client.request({ ...key, view }, never)));
  for (let round = 0; round < 10; round++) await four(round % 2);
  client.takeCounts();
  for (const logits of await four(9)) assert.deepEqual(logits, logitsOf(inputsOf(key.examples, 9)));
  const { hedged, softTargetInputBytes } = client.takeCounts();
  assert.ok(hedged >= 1, "some asked the one that is stuck");
  assert.equal(softTargetInputBytes, (4 + hedged) * 3 * features * 4);
  assert.equal(inputs.made.length, 44);
  open();
});

test("inputs that arrive damaged are told of and sent again; the teacher computes nothing from them", async (t) => {
  const passes: number[] = [];
  const answer: Serving["answer"] = async (examples, _, inputs) => {
    passes.push(examples.length);
    return logitsOf(floatsIn(inputs));
  };
  const teacher = await blindTeacher(t, { answer });
  const noisy = await spoiled(
    t,
    teacher,
    (reply) => reply,
    (request, count) => (count === 1 ? { ...request, inputs: Buffer.from(flipped(request.inputs)) } : request),
  );
  const told: string[] = [];
  const client = ask(t, [noisy], { inputs: source(), onCorrupted: (_, why) => told.push(why) });
  assert.deepEqual(await client.request(key, never), logitsOf(inputsOf(key.examples, key.view)));
  assert.equal(client.takeCounts().askedAgain, 1);
  assert.match(told.join(), /^teacher-1: the inputs of 3 examples arrived damaged/);
  assert.deepEqual(passes, [3]);
});

test("inputs that arrive damaged are refused, with both checksums", async (t) => {
  const teacher = await blindTeacher(t);
  const damaged = flipped(new Uint8Array(inputsOf(key.examples, key.view).buffer));
  const { errorCode, error } = await refusalOf(t, teacher.member.address, { inputs: Buffer.from(damaged) });
  assert.equal(errorCode, "corrupt");
  assert.match(error, /^the inputs of 3 examples arrived damaged: their checksum is \d+, should be \d+$/);
  assert.equal(teacher.passes.length, 0);
});

for (const [what, bytes, floats] of [
  ["too few inputs", 20, features],
  ["none", 0, features],
  ["inputs where the teacher reads the dataset", 24, 0],
] as const) {
  test(`a request with ${what} is refused, with the number that would be right`, async (t) => {
    let passes = 0;
    const answer: Serving["answer"] = async () => {
      passes += 1;
      return new Float32Array(3 * classes);
    };
    const teacher = await blindTeacher(t, { inputFloats: floats, answer });
    const inputs = Buffer.alloc(bytes);
    const inputsChecksum = bytes === 0 ? 0 : checksum(inputs, 0);
    assert.deepEqual(await refusalOf(t, teacher.member.address, { inputs, inputsChecksum }), {
      errorCode: "corrupt",
      error: `${bytes} bytes of inputs came for 3 examples, should be ${3 * floats * 4}`,
    });
    assert.equal(passes, 0);
  });
}

test("an answer for other inputs, or for none, is refused (L6)", async (t) => {
  const teacher = await blindTeacher(t);
  for (const inputsChecksum of [1, 0]) {
    const lying = await spoiled(t, teacher, (reply) => ({ ...reply, inputsChecksum }));
    await assert.rejects(ask(t, [lying], { inputs: source() }).request(key, never), {
      code: "wrong_key",
      message: /^teacher-1 answered for inputs \d+, asked for was \d+$/,
    });
  }
  const reader = await openTeacher(t, "teacher-2");
  const sent = await spoiled(t, reader, (reply) => ({ ...reply, inputsChecksum: 9 }));
  await assert.rejects(ask(t, [sent]).request(key, never), { message: /answered for inputs 9, asked for was 0/ });
});

test("a job whose lane no message holds is refused before it begins; in fast numerics lanes are cut", () => {
  const job = (...set: string[]) => parseJob(text, "job.yaml", set);
  const shape = [224, 224, 3];
  const sent = "softTargets.inputs=tensors";
  checkInputsFit(job("lanes.batch=111", sent), shape);
  assert.throws(() => checkInputsFit(job("lanes.batch=112", sent), shape), {
    code: "bad_job",
    message:
      "softTargets.inputs: with tensors the inputs of a lane are sent at once, and a message of 64 MiB holds 111 examples of 224 × 224 × 3 numbers; lanes.batch is 112",
  });
  checkInputsFit(job("lanes.batch=112"), shape);
  checkInputsFit(job("lanes.batch=112", sent, "numerics=fast"), shape);
  assert.throws(() => checkInputsFit(job(sent, "numerics=fast"), [2 ** 24]), { message: /holds 0 examples/ });
});

test("the largest lane that is let through is a message that arrives", async (t) => {
  const [examples, floats] = [Uint32Array.from({ length: 111 }, (_, id) => id), 224 * 224 * 3];
  checkInputsFit(parseJob(text, "job.yaml", ["lanes.batch=111", "softTargets.inputs=tensors"]), [floats]);
  let last = 0;
  const answer: Serving["answer"] = async (_, __, [bytes]) => {
    last = Buffer.from(bytes!).readFloatLE(bytes!.byteLength - 4);
    return new Float32Array(examples.length * classes);
  };
  const teacher = await blindTeacher(t, { inputFloats: floats, answer });
  const of = async () => new Float32Array(examples.length * floats).fill(2.5);
  const client = ask(t, [teacher.member], { inputs: { mostExamples: 111, of }, deadlineMs: 60_000 });
  await client.request({ ...key, examples }, never);
  assert.equal(last, 2.5);
});
