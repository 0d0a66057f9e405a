import assert from "node:assert/strict";
import { test } from "node:test";
import { EventLog, type Following } from "../../coordinator/eventlog.ts";
import { isDecision, type ProgressEvent } from "../../core/events.ts";

const status = (atMs: number): ProgressEvent => ({
  kind: "worker-status",
  worker: "w",
  doing: "waits",
  waitingFor: "",
  residentBytes: 0,
  atMs,
});
const paused = (atMs: number): ProgressEvent => ({ kind: "job-paused", why: "", atMs });

async function numbers(log: EventLog, following: Following): Promise<number[]> {
  const seen: number[] = [];
  for await (const [event, number] of log.numbered(following)) {
    assert.equal(event.atMs, number);
    seen.push(number);
  }
  return seen;
}

test("numbers count all events, also where only some are asked for, and another life goes on after them", async () => {
  const events = [paused(1), status(2), status(3), paused(4), status(5)];
  const log = new EventLog(events);
  const decisions = { only: isDecision, soFar: true };
  assert.deepEqual(await numbers(log, decisions), [1, 4]);
  assert.deepEqual(await numbers(log, { ...decisions, from: 1 }), [4]);
  const next = new EventLog(events);
  const following = numbers(next, { only: isDecision, from: 4 });
  next.append(status(6));
  next.append(paused(7));
  next.close();
  assert.deepEqual(await following, [7]);
});

test("what there is so far ends, though the job goes on", async () => {
  const log = new EventLog([paused(1)]);
  assert.deepEqual(await numbers(log, { soFar: true }), [1]);
  assert.deepEqual(await numbers(log, { soFar: true, from: 9 }), []);
  assert.deepEqual(await numbers(new EventLog(), { soFar: true }), []);
});
