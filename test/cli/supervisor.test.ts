import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { test } from "node:test";
import type { Child, Ended } from "../../cli/children.ts";
import { countDeaths } from "../../cli/deaths.ts";
import { deathNote, isBeyondMending, supervise } from "../../cli/supervisor.ts";
import type { LimbeckError, LimbeckErrorCode } from "../../core/errors.ts";

const policy = { firstMs: 1, longestMs: 4, settledMs: 60_000 };

function end(exitCode: number | null, failure: LimbeckErrorCode | null = null): Ended {
  return { exitCode, failure, how: exitCode === null ? "was killed by SIGKILL" : `ended with code ${exitCode}` };
}

/** A process whose lives end one after another as told; the one after them lasts. */
function mortal(ends: readonly Ended[]): { start: (life: number) => Child; lives(): number } {
  let lives = 0;
  const start = (life: number): Child => {
    lives = life;
    const last = ends[life - 1];
    return {
      name: "w",
      process: {} as ChildProcess,
      ended: last ? Promise.resolve(last) : new Promise(() => {}),
    };
  };
  return { start, lives: () => lives };
}

test("what crashes is started again, with waits that double, until it ends in order", async () => {
  const { start, lives } = mortal([end(null), end(1), end(139), end(null), end(0)]);
  const waits: number[] = [];
  const onDeath = (_: Ended, waitMs: number) => waits.push(waitMs) > 0;
  const worker = supervise("w", start, { onDeath, policy, random: () => 1 });
  assert.equal((await worker.over).exitCode, 0);
  assert.equal(lives(), 5);
  assert.deepEqual(waits, [1, 2, 4, 4]);
});

test("exit code 2 and failures that would come again are final, others are not", () => {
  for (const ended of [end(0), end(2), end(1, "bad_data"), end(1, "engine_unavailable"), end(1, "diverged")]) {
    assert.ok(isBeyondMending(ended), JSON.stringify(ended));
  }
  for (const ended of [end(null), end(1), end(134), end(1, "unavailable"), end(1, "internal"), end(1, "timeout")]) {
    assert.ok(!isBeyondMending(ended), JSON.stringify(ended));
  }
});

test("one that is retired between two lives does not come back", async () => {
  const { start, lives } = mortal([end(null)]);
  const slow = { firstMs: 60_000, longestMs: 60_000, settledMs: 60_000 };
  const worker = supervise("w", start, { onDeath: () => true, policy: slow });
  setTimeout(() => worker.retire(), 5);
  assert.match((await worker.over).how, /SIGKILL/);
  assert.equal(lives(), 1);
});

test("a long life makes the next death the first one again", async () => {
  const { start } = mortal([end(null), end(null), end(null), end(0)]);
  const waits: number[] = [];
  const onDeath = (_: Ended, waitMs: number) => waits.push(waitMs) > 0;
  await supervise("w", start, { onDeath, policy: { ...policy, settledMs: 0 }, random: () => 1 }).over;
  assert.deepEqual(waits, [1, 1, 1]);
});

test("five deaths in a row are forgiven, the sixth gives the job up, unless steps were taken", () => {
  const reasons: LimbeckError[] = [];
  const notes: string[] = [];
  const deaths = countDeaths(
    (line) => notes.push(line),
    (reason) => reasons.push(reason),
  );
  const die = () => deaths.onDeath("w", end(7), 100);
  for (let death = 0; death < 5; death++) assert.ok(die());
  deaths.progressed();
  for (let death = 0; death < 5; death++) assert.ok(die());
  assert.equal(deaths.reason(), null);
  assert.ok(!die());
  assert.equal(reasons.length, 1);
  assert.match(deaths.reason()!.message, /^w ended with code 7/);
  assert.equal(notes[0], deathNote("w", end(7), 100));
});
