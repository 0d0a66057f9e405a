import assert from "node:assert/strict";
import { test } from "node:test";
import { type Act, type Decision, wrongIn } from "./history.ts";

const opens = (term: number): Decision => ({ kind: "term", term, what: `deal ${term}` });
const begins = (term: number): Decision => ({ kind: "begun", term, what: "step 0" });
const by = (fence: number) => ({ coordinator: `c${fence}`, fence });
const led = (fence: number, sequence: number): Act => ({ kind: "led", ...by(fence), sequence, atMs: sequence * 10 });
const written = (fence: number, sequence: number, ...decisions: Decision[]): Act => ({
  kind: "written",
  ...by(fence),
  sequence,
  atMs: sequence * 10,
  id: `${fence}/${sequence}`,
  decisions,
});
const opened = (fence: number, sequence: number): Act => ({ kind: "opened", ...by(fence), sequence, atMs: 0 });
const may = (fence: number, fromMs: number, toMs: number): Act => ({ kind: "may", ...by(fence), fromMs, toMs });
const decided = (fence: number, atMs: number): Act => ({ kind: "decided", ...by(fence), atMs });
const left = (fence: number, atMs: number): Act => ({ kind: "left", ...by(fence), atMs });
const heard = (fence: number, atMs: number, decision: Decision | null): Act => ({
  kind: "heard",
  worker: "w",
  fence,
  atMs,
  decision,
});

/** Leader 1 opens and begins term 1; leader 4 takes over and opens term 2. */
const healthy: readonly Act[] = [
  may(1, 0, 50),
  led(1, 1),
  opened(1, 0),
  decided(1, 5),
  written(1, 2, opens(1)),
  heard(1, 21, opens(1)),
  written(1, 3, begins(1)),
  heard(1, 31, begins(1)),
  may(4, 60, 200),
  led(4, 6),
  opened(4, 3),
  heard(4, 65, begins(1)),
  decided(4, 70),
  written(4, 7, opens(2)),
  heard(4, 71, opens(2)),
];

test("nothing is wrong with a leader that takes over, in whatever order the acts are told", () => {
  assert.deepEqual(wrongIn(healthy), []);
  assert.deepEqual(wrongIn([...healthy].sort((a, b) => a.kind.localeCompare(b.kind))), []);
  assert.deepEqual(wrongIn([...healthy, left(1, 40), may(3, 41, 55)]), []);
});

const wrongs: readonly [string, readonly Act[], RegExp][] = [
  ["a term goes back", [written(4, 8, opens(2))], /opens term 2 after term 2/],
  [
    "a term is not above what was recovered",
    [written(4, 8, { kind: "recovered", term: 9, what: "" }), written(4, 9, opens(9))],
    /opens term 9 after term 9/,
  ],
  ["a term begins twice", [written(4, 8, begins(2)), written(4, 9, begins(2))], /term 2 begins twice/],
  ["a term has two writers", [led(5, 8), written(5, 9, begins(2))], /two writers: leader 4 opened it, 5 began it/],
  ["fences go back", [led(3, 8)], /fences go back/],
  ["an older leader appends", [written(1, 8)], /where leader 4 had the journal/],
  ["it is read too early", [written(1, 4, begins(1))], /went on without entry 4 of leader 1/],
  ["an entry is there twice", [{ ...written(4, 8), id: "4/7" } as Act], /written twice: entries 7 and 8/],
  ["a fence is two leaders'", [{ ...decided(4, 80), coordinator: "c9" } as Act], /fence 4 was given to several/],
  ["two may decide at once", [may(4, 49, 100)], /two may decide at once: c1 until 50.0, c4 from 49.0/],
  ["a leader decides late", [decided(1, 51)], /decided at 51.0, when it might not/],
  ["one decides that has left", [left(1, 20), decided(1, 21)], /decided at 21.0, when it might not/],
  ["a worker goes back to an older leader", [heard(1, 80, null)], /w obeyed leader 1 after leader 4/],
  ["a worker hears what nobody wrote", [heard(4, 80, opens(3))], /never written/],
  ["a worker hears it too early", [written(4, 9, opens(3)), heard(4, 89, opens(3))], /before it was written/],
  ["a term comes from another leader", [heard(5, 90, opens(2))], /term 2 has two leaders/],
];

for (const [what, acts, expected] of wrongs) {
  test(`found: ${what}`, () => assert.match(wrongIn([...healthy, ...acts]).join("\n"), expected));
}
