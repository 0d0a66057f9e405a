/** Events are read back as they were written, and nothing else is. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { eventOf, eventsIn } from "../../core/eventline.ts";
import { eventText } from "../../core/lines.ts";
import { events, linesOf } from "../fuzz/files/samplerun.ts";

test("an event of every kind comes back as it was", () => {
  assert.deepEqual(eventsIn(linesOf(events)), events);
});

test("what was not finite is null, and is told all the same", () => {
  const diverged = {
    ...events.find(({ kind }) => kind === "evaluated")!,
    score: { examples: 4, errors: 4, accuracy: 0, crossEntropy: Number.NaN },
  };
  const event = eventOf(JSON.stringify(diverged));
  assert.ok(event);
  assert.match(eventText(event), /cross-entropy –$/);
});

test("a line that lacks a field, has it of another type, or is of no kind is none", () => {
  const whole = events.find(({ kind }) => kind === "worker-lost")!;
  assert.ok(eventOf(JSON.stringify({ ...whole, more: 1 })), "a later version may add a field");
  const { atMs: _, ...timeless } = whole;
  for (const wrong of [
    timeless,
    { ...whole, why: 5 },
    { ...whole, kind: "nobody" },
    { ...whole, kind: "constructor" },
    null,
    [],
    7,
  ])
    assert.equal(eventOf(JSON.stringify(wrong)), null, JSON.stringify(wrong));
  for (const line of ["", "{", '{"kind"']) assert.equal(eventOf(line), null);
});
