/** Soft targets through a real cache and real teachers on loopback. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { LimbeckError } from "../../../core/errors.ts";
import { SoftTargetCache } from "../../../worker/cache/cache.ts";
import { CachedSoftTargets } from "../../../worker/softtargets/cached.ts";
import { scratchFolder } from "../cache/samples.ts";
import { ask, classes, logitsOf, openTeacher, type TestTeacher } from "./teachers.ts";

const never = new AbortController().signal;
const key = { teacher: "t1", dataset: "d1", view: 2, examples: Uint32Array.of(7, 30, 3) };

interface Changes {
  readonly teachers?: readonly TestTeacher[];
  readonly wholeLanes?: boolean;
  readonly cached?: boolean;
}

const ends = new WeakMap<CachedSoftTargets, () => Promise<void>>();

/** A student's view of soft targets, with the cache of this folder. */
function student(t: TestContext, dir: string, { teachers = [], wholeLanes = true, cached = true }: Changes) {
  const store = { teacher: "t1", dataset: "d1", examples: 100, classes, format: "float16", period: 4 };
  const settings = { dir, maxBytes: 2 ** 30, key: { ...store, views: null, bits: null } };
  const cache = cached ? new SoftTargetCache(settings, assert.fail) : null;
  const softTargets = new CachedSoftTargets({
    teachers: ask(
      t,
      teachers.map(({ member }) => member),
    ),
    cache,
    wholeLanes,
    classes,
    heard: () => {},
  });
  /** What was kept is written then. */
  const end = async () => {
    softTargets.close();
    await cache?.close();
  };
  t.after(end);
  ends.set(softTargets, end);
  return softTargets;
}

function counts(softTargets: CachedSoftTargets) {
  const { softTargets: needed, softTargetsCached: cached, softTargetBytes: bytes } = softTargets.takeCounts();
  return { needed, cached, bytes };
}

const bytesOf = (examples: number) => 2 * classes * examples;

test("what a teacher gave is not asked for again, by this student or the next, and is counted", async (t) => {
  const dir = scratchFolder(t);
  const teacher = await openTeacher(t, "teacher-1");
  const first = student(t, dir, { teachers: [teacher] });
  assert.deepEqual(await first.request(key, never), logitsOf(key.examples, 2));
  assert.deepEqual(counts(first), { needed: 3, cached: 0, bytes: bytesOf(3) });
  await ends.get(first)!();
  const next = student(t, dir, { teachers: [teacher] });
  for (let time = 0; time < 2; time++) assert.deepEqual(await next.request(key, never), logitsOf(key.examples, 2));
  assert.deepEqual(counts(next), { needed: 6, cached: 6, bytes: 0 });
  assert.equal(teacher.passes.length, 1);
});

test("a lane that lacks an example is asked for whole in exact numerics, in fast without the others", async (t) => {
  const teacher = await openTeacher(t, "teacher-1");
  for (const wholeLanes of [true, false]) {
    const dir = scratchFolder(t);
    const reopened = async (before?: CachedSoftTargets) => {
      if (before) await ends.get(before)!();
      return student(t, dir, { teachers: [teacher], wholeLanes });
    };
    let softTargets = await reopened();
    await softTargets.request({ ...key, examples: Uint32Array.of(30) }, never);
    softTargets = await reopened(softTargets);
    assert.deepEqual(await softTargets.request(key, never), logitsOf(key.examples, 2));
    const asked = wholeLanes ? key.examples : Uint32Array.of(7, 3);
    assert.deepEqual(teacher.passes.at(-1), asked);
    assert.deepEqual(counts(softTargets), { needed: 3, cached: wholeLanes ? 0 : 1, bytes: bytesOf(asked.length) });
    softTargets = await reopened(softTargets);
    const passes = teacher.passes.length;
    assert.deepEqual(await softTargets.request(key, never), logitsOf(key.examples, 2));
    assert.equal(teacher.passes.length, passes, "what was missing has been kept");
  }
});

test("with no teacher left the cache still answers, and what is missing waits in sight (L7)", async (t) => {
  const dir = scratchFolder(t);
  const teacher = await openTeacher(t, "teacher-1");
  const before = student(t, dir, { teachers: [teacher] });
  await before.request(key, never);
  await ends.get(before)!();
  const softTargets = student(t, dir, {});
  assert.deepEqual(await softTargets.request(key, never), logitsOf(key.examples, 2));
  assert.equal(softTargets.waitingFor, "");
  const stop = new AbortController();
  const waiting = softTargets.request({ ...key, view: 3 }, stop.signal);
  while (softTargets.waitingFor === "") await new Promise((resolve) => setTimeout(resolve, 2));
  assert.equal(softTargets.waitingFor, "a teacher: none is left in term 1");
  stop.abort(new LimbeckError("stopped", "Ctrl-C"));
  await assert.rejects(waiting, { code: "stopped" });
});

test("without a cache every one is asked for, and counted", async (t) => {
  const teacher = await openTeacher(t, "teacher-1");
  const softTargets = student(t, scratchFolder(t), { teachers: [teacher], cached: false });
  for (let time = 0; time < 2; time++) await softTargets.request(key, never);
  assert.deepEqual(counts(softTargets), { needed: 6, cached: 0, bytes: bytesOf(6) });
});

for (const format of [{ kind: "float16" }, { kind: "topk", k: 2, temperature: 4 }] as const) {
  test(`an example comes the same as ${format.kind}, also where its neighbour is too large for float16 (L1)`, async (t) => {
    const row = (example: number) => (example === 9 ? [1e6, 0, 1 / 3] : [1 / 3, 1 / 7, example]);
    const answer = async (examples: Uint32Array) => Float32Array.from([...examples].flatMap(row));
    const client = ask(t, [(await openTeacher(t, "teacher-1", { answer })).member], { format });
    const alone = await client.request({ ...key, examples: Uint32Array.of(7) }, never);
    const beside = await client.request({ ...key, examples: Uint32Array.of(7, 9) }, never);
    assert.deepEqual(beside.subarray(0, classes), alone);
    assert.deepEqual(beside.subarray(classes), Float32Array.from(row(9)));
  });
}
