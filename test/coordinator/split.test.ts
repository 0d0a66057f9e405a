/** The search for the best split, against made-up clusters: it finds it, stays there, and costs little where noise misleads. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { decide, newSplit, observed, recall, type Split, splitAbout } from "../../coordinator/split.ts";
import { randomStream } from "../../core/random.ts";

const windowMs = 3_000;
const retryMs = 15_000;

interface Workers {
  readonly count: number;
  /** Examples a second, with so many teachers. */
  rate(teachers: number): number;
  /** Share of their time that students wait. */
  waited(teachers: number): number;
  readonly noise?: () => number;
  predict?(teachers: number): number | null;
  /** Soft targets asked for, for each example. */
  asked?(atMs: number): number;
  readonly fewest?: number;
}

interface Moment {
  readonly atMs: number;
  readonly teachers: number;
  readonly why: string;
}

/** Lets the cluster run for so long, a report every second; gives every change. */
function search(
  workers: Workers,
  { from, ms, split = newSplit("distil", "w") }: { from: number; ms: number; split?: Split },
) {
  const { count, rate, waited, noise = () => 1, predict = () => null, asked = () => 1, fewest = 1 } = workers;
  const changes: Moment[] = [];
  let teachers = from;
  let served = 0;
  for (let atMs = 0; atMs < ms; atMs += 1_000) {
    const examples = rate(teachers) * noise();
    served += rate(teachers);
    const phases = { softTargets: waited(teachers), compute: 1 - waited(teachers) };
    const softTargetsCached = (1 - asked(atMs)) * examples;
    const counts = { softTargets: examples, softTargetsCached };
    const told = { steps: 10, seconds: 1, ...counts, metrics: { examples }, phases };
    split = observed(split, told, true);
    const bounds = { fewest, most: count - 1 };
    const decided = decide(split, { atMs, teachers, ...bounds, windowMs, windowSteps: 10, retryMs, predict });
    split = decided.split;
    if (decided.teachers === null) continue;
    assert.notEqual(decided.teachers, teachers, "a change to what is there already");
    teachers = decided.teachers;
    changes.push({ atMs, teachers, why: split.why });
  }
  return { teachers, split, changes, mean: served / (ms / 1_000) };
}

/** Eight machines of their own: the slower of what students consume and what teachers serve. */
function independent(students: number, serving: number, count = 8): Workers {
  const rate = (teachers: number) => Math.min(students * (count - teachers), serving * teachers);
  const waited = (teachers: number) => Math.max(0, 1 - rate(teachers) / (students * (count - teachers)));
  return { count, rate, waited };
}

const best = ({ count, rate }: Workers) => Math.max(...Array.from({ length: count - 1 }, (_, at) => rate(at + 1)));

test("from the worst split it climbs to within 10 % of the best, from either side", () => {
  for (const [students, serving] of [
    [100, 100],
    [100, 300],
    [300, 100],
    [100, 700],
  ] as const) {
    const workers = independent(students, serving);
    for (const from of [1, 7]) {
      const { teachers } = search(workers, { from, ms: 300_000 });
      assert.ok(
        workers.rate(teachers) >= 0.9 * best(workers),
        `${teachers} teachers, from ${from}, ${students}:${serving}`,
      );
    }
  }
});

test("a change is told with the share of time that students waited", () => {
  const { changes } = search(independent(100, 100), { from: 1, ms: 4_000 });
  assert.deepEqual(changes, [{ atMs: 2_000, teachers: 2, why: "students waited 86 % of the time" }]);
});

test("the speeds of the members lead to the best split in one change", () => {
  const workers = { ...independent(100, 300), predict: independent(100, 300).rate };
  const { changes, teachers } = search(workers, { from: 7, ms: 15_000 });
  assert.equal(changes[0]!.teachers, 2);
  assert.equal(teachers, 2);
});

test("speeds that do not add up mislead once: it goes back to what was measured to be better", () => {
  const workers = { ...independent(100, 100), predict: (teachers: number) => 1000 * teachers };
  const { changes } = search(workers, { from: 4, ms: 10_000 });
  assert.deepEqual(
    changes.slice(0, 2).map(({ teachers }) => teachers),
    [7, 4],
  );
  assert.equal(changes[1]!.why, "100 examples/s with 7 teachers, 400 with 4 teachers");
});

test("where all splits are as good it settles: tries come at intervals that double", () => {
  const flat: Workers = { count: 4, rate: () => 100, waited: () => 0.2 };
  const { changes } = search(flat, { from: 2, ms: 3_600_000 });
  assert.ok(changes.length < 40, `${changes.length} changes in an hour`);
  const starts = changes.map(({ atMs }) => atMs).filter((atMs, at, all) => at === 0 || atMs - all[at - 1]! > 10_000);
  const gaps = starts.slice(1).map((atMs, at) => atMs - starts[at]!);
  for (let at = 1; at < 5; at++) assert.ok(gaps[at]! > 1.5 * gaps[at - 1]!, `${gaps}`);
});

test("noise of 15 % does not make it wander: it keeps 93 % of the best rate over an hour, whatever the seed", () => {
  for (let seed = 0; seed < 50; seed++) {
    const random = randomStream(0x5b, seed);
    const workers = { ...independent(100, 100), noise: () => 0.85 + 0.3 * random() };
    const { changes, mean } = search(workers, { from: 4, ms: 3_600_000 });
    assert.ok(mean >= 0.93 * best(workers), `seed ${seed}: ${mean}`);
    assert.ok(changes.length < 120, `seed ${seed}: ${changes.length} changes`);
  }
});

test("a rate that breaks down ends the rest", () => {
  const settled = search(independent(100, 100), { from: 4, ms: 600_000 });
  assert.equal(settled.teachers, 4);
  const { changes } = search(independent(100, 40), { from: 4, ms: 8_000, split: settled.split });
  assert.equal(changes[0]?.teachers, 5);
  assert.ok(changes[0].atMs > 3_000, "one window may be chance");
});

test("with a warm cache all teachers turn, but for fixed ones; a few steps without a question prove nothing", () => {
  const workers = { ...independent(100, 100), fewest: 0, asked: () => 0 };
  const { changes, split } = search(workers, { from: 2, ms: 60_000 });
  assert.deepEqual(
    changes.map(({ teachers }) => teachers),
    [0],
  );
  assert.ok(split.isWarm);
  const brief = observed(newSplit("distil", "w"), toldOf(4, 10), true);
  const situation = {
    atMs: 0,
    teachers: 2,
    fewest: 0,
    most: 7,
    windowMs,
    windowSteps: 10,
    retryMs,
    predict: () => null,
  };
  assert.equal(decide(brief, situation).teachers, null);
});

test("a cache that was not warm after all is believed later each time", () => {
  const situation = { teachers: 1, fewest: 0, most: 7, windowMs, windowSteps: 10, retryMs, predict: () => null };
  let split = newSplit("distil", "w");
  for (const restMs of [retryMs, 2 * retryMs, 4 * retryMs]) {
    split = recall({ ...split, isWarm: true }, { atMs: 1_000, retryMs });
    const asked = observed(split, toldOf(100, 10), true);
    assert.equal(decide(asked, { ...situation, atMs: 999 + restMs }).teachers, null);
    assert.equal(decide(asked, { ...situation, atMs: 1_000 + restMs }).teachers, 0);
  }
});

test("with other workers all is measured anew, but what is known of the cache; in another stage nothing is known", () => {
  const { split } = search(independent(100, 100), { from: 4, ms: 60_000 });
  assert.equal(splitAbout(split, "distil", "w"), split);
  const warm = { ...split, isWarm: true, recalls: 2 };
  const others = splitAbout(warm, "distil", "w,x");
  assert.deepEqual([others.rates.size, others.isWarm, others.recalls], [0, true, 2]);
  assert.deepEqual(splitAbout(warm, "teach", "w"), newSplit("teach", "w"));
});

function toldOf(steps: number, seconds: number) {
  const counts = { softTargets: 100, softTargetsCached: 100 };
  return { steps, seconds, ...counts, metrics: { examples: 100 }, phases: { softTargets: 0, compute: seconds } };
}
