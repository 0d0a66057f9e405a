/** The log has a line for every decision, with its reason, and none for a step. */
import assert from "node:assert/strict";
import { Writable } from "node:stream";
import { test } from "node:test";
import { pino } from "pino";
import { bounded, cast, started } from "./sessions.ts";

test("a job's log: a line per decision with reason, job, term and step; none per step", bounded, async (t) => {
  const lines: Record<string, unknown>[] = [];
  const write = (chunk: Buffer, _: string, done: () => void) => {
    lines.push(JSON.parse(chunk.toString()));
    done();
  };
  const log = pino({ messageKey: "why", base: { job: "story" } }, new Writable({ write }));
  const coordinator = await started(t, { log });
  await cast(t, coordinator);
  await coordinator.finished;
  const events: string[] = [];
  for await (const { kind } of coordinator.events) events.push(kind);
  const told = events.filter((kind) => kind !== "stepped" && kind !== "worker-status");
  assert.deepEqual(
    lines.map(({ event }) => event),
    told,
  );
  for (const line of lines) {
    assert.equal(line["job"], "story");
    assert.equal(typeof line["term"], "number");
    assert.equal(typeof line["step"], "number");
  }
  const opened = lines.filter(({ event }) => event === "term-opened");
  assert.deepEqual(
    opened.map(({ why }) => why),
    ["teach begins with 2 students and 1 teacher", "teach is over, distil begins", "distil is over, baseline begins"],
  );
  assert.deepEqual(
    opened.map(({ reason }) => reason),
    ["start", "stage", "stage"],
  );
});
