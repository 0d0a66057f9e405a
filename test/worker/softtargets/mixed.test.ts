/** Two members of an ensemble, each on teachers of its own: what a student gets is what one teacher of both would give. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { type Mixture, mixedLogits, mixtureIdentity } from "../../../core/mixture.ts";
import { sha256Hex } from "../../../worker/artifacts/digest.ts";
import { type MixedSettings, MixedSoftTargets } from "../../../worker/softtargets/mixed.ts";
import { groupsOf } from "../../../worker/softtargets/open.ts";
import { ask, classes, openTeacher, type TestTeacher } from "./teachers.ts";

const never = new AbortController().signal;
const temperature = 3;
const examples = Uint32Array.of(7, 70_000, 3);
const members = ["m0", "m1"] as const;

/** Logits whose last bits no short format keeps. */
const logitsOf = (member: string) => (ids: Uint32Array) =>
  Float32Array.from({ length: ids.length * classes }, (_, at) => {
    const example = ids[Math.floor(at / classes)]! % 100;
    return Math.sin(example + (at % classes)) * (member === "m0" ? 3 : 5) + 1 / 3;
  });
const mixtures: readonly Mixture[] = [
  { of: "probabilities", temperature, weights: [2, 1] },
  { of: "logits", temperature, weights: [1, 3] },
];
const shaOf = (mixture: Mixture, served: readonly string[] = members) => sha256Hex(mixtureIdentity(mixture, served));
const keyOf = (mixture: Mixture) => ({ teacher: shaOf(mixture), dataset: "d1", examples, view: 2 });

function openMember(t: TestContext, name: string, member: string, delayMs = 0): Promise<TestTeacher> {
  const answer = async (ids: Uint32Array) => {
    if (delayMs > 0) await setTimeout(delayMs);
    return logitsOf(member)(ids);
  };
  return openTeacher(t, name, { teacher: member, answer });
}

function mixed(
  t: TestContext,
  mixture: Mixture,
  teachers: readonly (readonly TestTeacher[])[],
  changes: Partial<MixedSettings> = {},
): MixedSoftTargets {
  const source = new MixedSoftTargets({
    ...{ term: 1, mixture, classes, format: { kind: "float32" }, inputs: null, deadlineMs: 5_000, onNoTeacher: "wait" },
    random: () => 0.5,
    members: teachers.map((some, at) => ({
      field: `teacher.ensemble.${at}`,
      teachers: some.map((each) => each.member),
    })),
    ...changes,
  });
  t.after(() => source.close());
  return source;
}

/** What one teacher that asks all members sends. */
async function together(t: TestContext, mixture: Mixture, format: MixedSettings["format"]): Promise<Float32Array> {
  const answer = async (ids: Uint32Array) =>
    mixedLogits(
      members.map((member) => logitsOf(member)(ids)),
      mixture,
      classes,
    );
  const teacher = await openTeacher(t, "whole", { teacher: shaOf(mixture), answer, temperature });
  return await ask(t, [teacher.member], { format }).request(keyOf(mixture), never);
}

for (const mixture of mixtures) {
  for (const format of [{ kind: "float32" }, { kind: "float16" }, { kind: "topk", k: 2, temperature }] as const) {
    test(`the mean of ${mixture.of} has the bits of one teacher of both, as ${format.kind} (L1)`, async (t) => {
      const apart = [[await openMember(t, "a", "m0", 20)], [await openMember(t, "b", "m1")]];
      const source = mixed(t, mixture, apart, { format });
      const got = await source.request(keyOf(mixture), never);
      const whole = await together(t, mixture, format);
      assert.deepEqual(new Uint32Array(got.buffer), new Uint32Array(whole.buffer));
      const { payloadError, ...counts } = source.takeCounts();
      assert.deepEqual(counts, {
        softTargets: 3,
        softTargetBytes: 2 * 9 * 4,
        softTargetInputBytes: 0,
        hedged: 0,
        askedAgain: 0,
      });
      assert.equal(payloadError.examples, format.kind === "float32" ? 0 : 3);
      assert.equal(source.takeCounts().softTargets, 0);
    });
  }
}

test("members that make another ensemble are refused, whichever is wrong (L6)", async (t) => {
  const mixture = mixtures[0]!;
  for (const served of [
    ["m0", "m2"],
    ["m1", "m0"],
  ]) {
    const [a, b] = [await openMember(t, "a", served[0]!), await openMember(t, "b", served[1]!)];
    await assert.rejects(mixed(t, mixture, [[a], [b]]).request(keyOf(mixture), never), {
      code: "wrong_key",
      message: `the members ${served.join(", ")} answered, which make the ensemble ${shaOf(mixture, served)}, asked for was ${shaOf(mixture)}`,
    });
  }
});

test("a teacher that serves another model than the other of its member is refused (L6)", async (t) => {
  const mixture = mixtures[0]!;
  const [a, b, wrong] = [
    await openMember(t, "a", "m0"),
    await openMember(t, "b", "m1"),
    await openMember(t, "c", "m3"),
  ];
  const source = mixed(t, mixture, [[a, wrong], [b]]);
  const both = Promise.all([source.request(keyOf(mixture), never), source.request(keyOf(mixture), never)]);
  await assert.rejects(both, { code: "wrong_key" });
});

test("where a teacher dies another of its member answers; with none left it waits for one, and says for which", async (t) => {
  const mixture = mixtures[0]!;
  const [a, b] = [await openMember(t, "a", "m0"), await openMember(t, "b", "m1", 50)];
  const second = await openMember(t, "c", "m1", 50);
  const source = mixed(t, mixture, [[a], [b, second]]);
  const first = source.request(keyOf(mixture), never);
  await setTimeout(20);
  b.close();
  const expected = await first;
  second.close();
  const stopped = new AbortController();
  const stranded = source.request(keyOf(mixture), stopped.signal);
  const isStranded = async () => {
    for (let waited = 0; !source.isStranded && waited < 5_000; waited += 5) await setTimeout(5);
    return source.isStranded;
  };
  assert.ok(await isStranded());
  assert.match(source.waitingFor, /a teacher for teacher\.ensemble\.1: none is left in term 1$/);
  const port = Number(second.member.address.split(":")[1]);
  await openTeacher(t, "c", { teacher: "m1", answer: async (ids) => logitsOf("m1")(ids) }, port);
  assert.deepEqual(await stranded, expected);
  assert.ok(!source.isStranded);
});

test("a job that says so fails where a member has nobody left, and the others are not waited for", async (t) => {
  const mixture = mixtures[0]!;
  const stuck = await openTeacher(t, "a", { teacher: "m0", answer: () => new Promise(() => {}) });
  const source = mixed(t, mixture, [[stuck], []], { onNoTeacher: "fail" });
  await assert.rejects(source.request(keyOf(mixture), never), {
    code: "unavailable",
    message: "no teacher for teacher.ensemble.1 is left in term 1, and the job says softTargets.onNoTeacher: fail",
  });
});

test("the doctor's lines have one teacher of each member, and every teacher in one", () => {
  const teacher = {
    ensemble: [
      { load: "a", weight: 1 },
      { load: "b", weight: 1 },
    ],
    mean: "logits",
    workers: "apart",
  } as const;
  const of = (worker: string, part: number) => ({ worker, part, address: "here:1" });
  const names = (job: Parameters<typeof groupsOf>[0], ...teachers: ReturnType<typeof of>[]) =>
    groupsOf(job, teachers).map((group) => group.map(({ worker }) => worker).join());
  const job = { teacher: { ...teacher, ensemble: [...teacher.ensemble] } };
  assert.deepEqual(names(job, of("a", 0), of("b", 1), of("c", 0), of("d", 0)), ["a,b", "c,b", "d,b"]);
  assert.deepEqual(names(job, of("a", 0)), ["a"]);
  assert.deepEqual(names(job), [""], "who is to come");
  assert.deepEqual(names({ teacher: { load: "a" } }, of("a", 0), of("b", 0)), ["a", "b"]);
});
