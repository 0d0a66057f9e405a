import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { fenceBase, holds, type Lease, leaseStep, newLease } from "../../coordinator/lease.ts";
import { contend, overlap, type Schedule } from "./contention.ts";

const own = { writer: "me", ttlMs: 3_000 };
const forMs = 40_000;

const contender = fc.record({
  rate: fc.integer({ min: 900, max: 1100 }).map((thousandths) => thousandths / 1000),
  pauses: fc.array(
    fc.record({ fromMs: fc.integer({ min: 0, max: forMs }), forMs: fc.integer({ min: 1, max: 9_000 }) }),
    { maxLength: 4 },
  ),
});
const delay = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 0, max: 20 }) },
  { weight: 2, arbitrary: fc.integer({ min: 20, max: 700 }) },
  { weight: 1, arbitrary: fc.integer({ min: 700, max: 9_000 }) },
);
const schedules: fc.Arbitrary<Schedule> = fc.record({
  contenders: fc.array(contender, { minLength: 2, maxLength: 3 }),
  delaysMs: fc.array(delay, { minLength: 1, maxLength: 60 }),
  forMs: fc.constant(forMs),
});

test("two never hold at once, whatever is delayed, lost or paused, with clocks 10 % off; fences grow", () => {
  fc.assert(
    fc.property(schedules, (schedule) => {
      const contention = contend(schedule);
      assert.equal(overlap(contention), null);
      assert.equal(new Set(contention.fences).size, contention.fences.length);
    }),
    { numRuns: 300 },
  );
});

test("undisturbed, one leads without a gap, and another less than 5 s after it stops", () => {
  const calm = { rate: 1, pauses: [] };
  const { windows, fences } = contend({
    contenders: [{ rate: 1, pauses: [{ fromMs: 20_000, forMs: 60_000 }] }, calm],
    delaysMs: [2],
    forMs,
  });
  const [first] = windows;
  assert.ok(first!.fromMs < 100);
  const before = windows.filter(({ fromMs }) => fromMs < 20_000);
  before.slice(1).forEach(({ contender, fromMs }, at) => {
    assert.equal(contender, first!.contender);
    assert.ok(fromMs < before[at]!.toMs, `a gap before ${fromMs}`);
  });
  const after = windows.find(({ fromMs }) => fromMs > 20_000)!;
  assert.notEqual(after.contender, first!.contender);
  assert.ok(after.fromMs < 25_000, `took it at ${after.fromMs}`);
  assert.equal(fences.length, 2);
});

/** From a new contender, event by event. */
function after(...events: Parameters<typeof leaseStep>[2][]) {
  return events.reduce<ReturnType<typeof leaseStep>>(([lease], event) => leaseStep(own, lease, event), [newLease]);
}

const tick = (atMs: number) => ({ kind: "tick", atMs }) as const;
const saw = (atMs: number, revision: number, writer: string) =>
  ({ kind: "saw", atMs, revision, writer, ttlMs: 3_000 }) as const;
const took = [tick(0), saw(1, 4, ""), { kind: "wrote", atMs: 2, revision: 5 }] as const;

test("what was given up is taken at once; what another has, when it has not changed for the longer ttl of both", () => {
  assert.deepEqual(after(tick(0), saw(1, 4, ""))[1], { kind: "write", expected: 4, fence: 0 });
  const slow = { ...saw(1, 4, "other"), ttlMs: 10_000 };
  assert.equal(after(tick(0), slow, tick(4_000), { ...slow, atMs: 4_001 }).length, 1);
  assert.deepEqual(after(tick(0), slow, tick(4_000), { ...slow, atMs: 10_001 })[1]!.kind, "write");
  assert.equal(after(tick(0), saw(1, 4, "other"), tick(2_900), saw(3_100, 5, "other")).length, 1, "renewed meanwhile");
});

test("who could not see for a while counts from when it sees again, so that a leader may go on after an outage", () => {
  const [lease, ...effects] = after(
    tick(0),
    saw(1, 4, "other"),
    tick(1_000),
    { kind: "unseen", atMs: 2_000 },
    tick(5_000),
    saw(5_001, 4, "other"),
  );
  assert.deepEqual([lease.kind, effects], ["following", []]);
});

test("a write whose answer was lost is known again by its writer, and counts for no time", () => {
  const [lease, ...effects] = after(tick(0), saw(1, 4, ""), { kind: "unknown", atMs: 800 }, saw(801, 5, "me"));
  assert.ok(!holds(lease, 802));
  assert.deepEqual(effects, [
    { kind: "lead", fence: 5 },
    { kind: "write", expected: 5, fence: 5 },
  ]);
  const [renewed] = leaseStep(own, lease, { kind: "wrote", atMs: 803, revision: 6 });
  assert.ok(holds(renewed, 804) && holds(renewed, 801 + 2_099) && !holds(renewed, 801 + 2_100));
});

test("a leader that finds another's write is lost, and stays it; a reader's delay is none", () => {
  const [delayed] = after(...took, { kind: "hint", atMs: 10 }, saw(11, 4, "other"));
  assert.equal(delayed.kind, "leading");
  for (const path of [
    [{ kind: "hint", atMs: 10 }, saw(11, 6, "other")],
    [tick(800), { kind: "refused", atMs: 801 }, saw(802, 3, "other")],
    [tick(800), { kind: "refused", atMs: 801 }, saw(802, 6, "")],
  ] as const) {
    const [lease, effect] = after(...took, ...path);
    assert.deepEqual([lease.kind, effect!.kind], ["lost", "lose"]);
    assert.deepEqual(leaseStep(own, lease, { kind: "wrote", atMs: 803, revision: 9 }), [lease]);
  }
});

test("a register that is gone is given up by who leads; who follows waits for it as for one that it cannot read", () => {
  const gone = { kind: "gone", atMs: 9_000 } as const;
  const [lease, effect] = after(...took, { kind: "hint", atMs: 10 }, gone);
  assert.deepEqual([lease.kind, effect!.kind], ["lost", "lose"]);
  const [following, ...effects] = after(tick(0), saw(1, 4, "other"), tick(1_000), gone);
  assert.deepEqual(
    [following.kind, following.kind === "following" && following.seen, effects],
    ["following", null, []],
  );
});

test("fences grow whenever a register is made anew or an older one is restored, however its revisions go on", () => {
  const taken = fc.record({ revisions: fc.integer({ min: 1, max: 50 }), opensJournal: fc.boolean() });
  const lives = fc.record({ restoredTo: fc.integer({ min: 0, max: 40 }), takes: fc.array(taken, { maxLength: 6 }) });
  fc.assert(
    fc.property(fc.array(lives, { maxLength: 6 }), (registers) => {
      let journal = 0;
      for (const { restoredTo, takes } of registers) {
        let register = { revision: restoredTo, base: 0 };
        let last = 0;
        for (const { revisions, opensJournal } of takes) {
          const base = fenceBase(register, journal);
          register = { revision: register.revision + revisions, base };
          const fence = base + register.revision;
          assert.ok(fence > journal && fence > last, `${fence} after ${journal}, ${last}`);
          last = fence;
          if (opensJournal) journal = fence;
        }
      }
    }),
  );
});

test("who resigns decides nothing any more before it says so", () => {
  const [lease, effect]: [Lease, ...unknown[]] = [...after(...took, { kind: "resign", atMs: 10 })];
  assert.ok(!holds(lease, 10));
  assert.deepEqual(effect, { kind: "release" });
});
