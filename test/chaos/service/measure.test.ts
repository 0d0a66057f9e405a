/** What faults cost, from made-up steps. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ProgressEvent } from "../../../core/events.ts";
import { costOf, type Span, slowIn } from "./measure.ts";

const stepped = (step: number, atMs: number) => ({ kind: "stepped", stage: "distil", step, atMs }) as ProgressEvent;

const span = (fence: number | null): Span => ({
  struck: { kind: "kill-leader", atMs: 0, target: 0, lastsMs: 1_000, struckMs: 30_000, fence },
  untilMs: 60_000,
  quietUntilMs: 90_000,
});

test("steps that were told late were made all the same", () => {
  // Ten a second; nothing is told for ten seconds.
  const steps = Array.from({ length: 100 }, (_, at) => stepped(10 * at, 1_000 * at)).filter(
    ({ atMs }) => atMs <= 30_000 || atMs > 40_000,
  );
  const { byKind } = costOf(steps, [], [span(null)]);
  assert.deepEqual(byKind, { "kill-leader": { count: 1, disturbed: 10, quiet: 10, fall: 0, fallError: null } });
});

test("a minute with three seconds of no step has five percent fewer", () => {
  const made = (atMs: number) => Math.floor((atMs <= 30_000 ? atMs : Math.max(30_000, atMs - 3_000)) / 100);
  const steps = Array.from({ length: 100 }, (_, at) => stepped(made(1_000 * at), 1_000 * at));
  assert.equal(costOf(steps, [], [span(null)]).byKind["kill-leader"]!.fall, 0.05);
});

test("a takeover lasts until the next leader's first decision; one that nobody follows is counted", () => {
  const decided = (fence: number, atMs: number) =>
    ({ kind: "decided", coordinator: `c${fence}`, fence, atMs }) as const;
  const records = [decided(1, 29_000), decided(4, 33_400), decided(4, 33_200), decided(9, 80_000)];
  const { takeoverMs, notFollowed } = costOf([], records, [span(1), span(9)]);
  assert.deepEqual([takeoverMs, notFollowed], [{ count: 1, p50: 3_200, p99: 3_200 }, 1]);
});

test("the falls of several waver by their standard error", () => {
  const steps = [0, 30, 60, 90, 120].map((second, at) => stepped([0, 300, 570, 870, 1_170][at]!, 1_000 * second));
  const late: Span = {
    struck: { ...span(null).struck, struckMs: 60_000 },
    untilMs: 90_000,
    quietUntilMs: 120_000,
  };
  // A tenth fewer in half a minute, and as many.
  assert.deepEqual(costOf(steps, [], [span(null), late]).byKind["kill-leader"], {
    ...{ count: 2, disturbed: 9.5, quiet: 10, fall: 0.025, fallError: 0.025 },
  });
});

test("a takeover that is late, and a minute that loses more than it wavers by, are not right", () => {
  const pace = (fall: number, fallError: number | null = null, count = 1) => ({
    ...{ count, disturbed: 10, quiet: 10, fall, fallError },
  });
  const cost = {
    takeoverMs: { count: 2, p50: 3_300, p99: 3_900 },
    notFollowed: 0,
    byKind: { "kill-leader": pace(0.03, 0.01, 20), "stop-leader": pace(0.1) },
  };
  assert.deepEqual(slowIn(cost), []);
  assert.deepEqual(slowIn({ ...cost, takeoverMs: null }), []);
  const late = slowIn({ ...cost, takeoverMs: { count: 2, p50: 3_300, p99: 5_001 } });
  assert.match(late.join(), /^a takeover took 5001 ms, and 5000 are enough$/);
  const slow = slowIn({ ...cost, byKind: { "kill-leader": pace(0.04, 0.009, 20) } });
  assert.match(slow.join(), /^kill-leader cost 0\.04 \+- 0\.009 of a minute's steps$/);
  const byKind = { "kill-nats": pace(0.3), "stop-leader": pace(0.1, 0.01, 2), "kill-leader-and-worker": pace(0.9) };
  assert.match(slowIn({ ...cost, byKind }).join(), /^kill-nats cost 0\.3 \+- \? of a minute's steps$/);
});
