import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { dealParts, type PartWorker, partRates, partsWithout } from "../../core/partdeal.ts";

const named = (workers: readonly Partial<PartWorker>[]): PartWorker[] =>
  workers.map((worker, at) => ({ name: `t${at + 1}`, part: null, secondsPerExample: null, ...worker }));
const dealt = (parts: number, workers: readonly Partial<PartWorker>[]) => [
  ...dealParts(parts, named(workers)).values(),
];
const having = (...parts: (number | null)[]) => parts.map((part) => ({ part }));

const crews = fc.tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 0, max: 12 })).chain(([parts, workers]) =>
  fc.record({
    parts: fc.constant(parts),
    workers: fc.array(
      fc.record({
        part: fc.option(fc.integer({ min: 0, max: parts }), { nil: null }),
        secondsPerExample: fc.option(fc.double({ min: 1e-6, max: 10, noNaN: true }), { nil: null }),
      }),
      { minLength: workers, maxLength: workers },
    ),
  }),
);

test("every worker gets one part, and every part a worker where there are enough", () => {
  fc.assert(
    fc.property(crews, ({ parts, workers }) => {
      const given = dealt(parts, workers);
      assert.equal(given.length, workers.length);
      assert.ok(given.every((part) => Number.isInteger(part) && part >= 0 && part < parts));
      const idle = partsWithout(parts, having(...given));
      assert.equal(idle.length, Math.max(0, parts - workers.length));
    }),
  );
});

test("no more move than there are parts without a worker, and the same deal again moves nobody", () => {
  fc.assert(
    fc.property(crews, ({ parts, workers }) => {
      const given = dealt(parts, workers);
      const isMoved = ({ part }: { part: number | null }, at: number) =>
        part !== null && part < parts && given[at] !== part;
      const free = workers.filter(({ part }) => part === null || part === parts).length;
      const had = partsWithout(parts, workers).length;
      assert.equal(workers.filter(isMoved).length, Math.min(Math.max(0, had - free), movable(parts, workers)));
      const again = workers.map((worker, at) => ({ ...worker, part: given[at]! }));
      assert.deepEqual(dealt(parts, again), given);
    }),
  );
});

/** Workers beyond the first of each part. */
function movable(parts: number, workers: readonly { part: number | null }[]): number {
  const settled = workers.filter(({ part }) => part !== null && part < parts);
  return settled.length - new Set(settled.map(({ part }) => part)).size;
}

test("as long as nothing is measured, parts differ by at most one worker", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 12 }), (parts, workers) => {
      const given = dealt(parts, having(...Array.from({ length: workers }, () => null)));
      const counts = Array.from({ length: parts }, (_, part) => given.filter((each) => each === part).length);
      assert.ok(Math.max(...counts) - Math.min(...counts) <= 1);
    }),
  );
});

test("a newcomer gets the part that is served slowest", () => {
  const slow = { part: 1, secondsPerExample: 0.01 };
  assert.deepEqual(dealt(2, [{ part: 0, secondsPerExample: 0.001 }, slow, {}]), [0, 1, 1]);
  assert.deepEqual(dealt(2, [{ part: 0, secondsPerExample: 0.001 }, slow, {}, {}]), [0, 1, 1, 1]);
  assert.deepEqual(dealt(2, [{ part: 0, secondsPerExample: 0.1 }, slow, slow, {}]), [0, 1, 1, 0]);
});

test("of a part that has nobody left the last one takes over that can best be spared", () => {
  assert.deepEqual(dealt(3, having(0, 0, 1)), [0, 2, 1]);
  assert.deepEqual(dealt(2, having(1, 1, 1)), [1, 1, 0]);
  const [slow, fast] = [
    { part: 0, secondsPerExample: 0.01 },
    { part: 1, secondsPerExample: 0.001 },
  ];
  assert.deepEqual(dealt(3, [slow, slow, fast, fast]), [0, 0, 1, 2]);
  assert.deepEqual(dealt(2, having(0)), [0], "nobody can be spared");
});

test("the rate of a part is that of all its workers; who was not measured counts as the middle one", () => {
  const workers = named([
    { part: 0, secondsPerExample: 0.5 },
    { part: 0 },
    { part: 1, secondsPerExample: 0.25 },
    { part: 2 },
  ]);
  assert.deepEqual(partRates(4, workers), [4, 4, 2, 0]);
});
