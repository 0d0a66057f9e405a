/** The check of a real service's history finds what it is there to find. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { JournalRecord } from "../../../coordinator/journalrecord.ts";
import type { ServiceRecord, Submission } from "../../../coordinator/service/vocabulary.ts";
import type { Report } from "../../../core/report.ts";
import { check, type JournalEntry, type Witnesses } from "./acts.ts";
import type { Recorded } from "./recorded.ts";
import type { WorkerLine } from "./workers.ts";

const term = (number: number): JournalRecord => ({
  ...{ kind: "term", atMs: 0, term: number, stage: "distil", deal: [], teachers: [], instances: {} },
  ...{ rollbackBelow: null, why: "" },
});

const ended: JournalRecord = { kind: "ended", report: {} as Report };

const submitted = (number: number, id = "j-1"): ServiceRecord => ({
  ...{ kind: "submitted", id, number, atMs: 0 },
  ...({} as Submission),
});

const running: ServiceRecord = { kind: "changed", job: "j-1", phase: { kind: "running" }, why: "", atMs: 0 };

/** Of leader 1 (writer a) and leader 5 (writer b), each a millisecond after the one before. */
function journal(...entries: readonly (readonly [number, JournalRecord | ServiceRecord | "led"])[]): JournalEntry[] {
  return entries.map(([fence, record], at) => ({
    ...{ kind: record === "led" ? "led" : "record", fence, sequence: at + 1, atMs: at },
    ...{ id: `${fence === 1 ? "a" : "b"}.job.${at}`, text: record === "led" ? "" : JSON.stringify(record) },
  }));
}

const decided = (fence: number, atMs: number): Recorded => ({
  ...{ kind: "decided", coordinator: fence === 1 ? "c1 (10)" : "c2 (20)", fence, atMs },
});

const line = (
  event: string,
  at: { readonly term: number; readonly atMs: number; readonly fence?: number },
): WorkerLine => ({
  ...{ worker: "student-1/1", event, why: "", term: at.term, atMs: at.atMs, fence: at.fence },
});

const right: Witnesses = {
  entries: journal([1, "led"], [1, term(1)], [5, "led"], [5, term(2)]),
  queue: journal([1, "led"], [1, submitted(1)], [1, running], [5, "led"], [5, submitted(2, "j-2")]),
  records: [decided(1, 0), decided(1, 1), decided(5, 2), decided(5, 3)],
  lines: [
    line("leader", { term: 0, atMs: 1, fence: 1 }),
    line("prepare", { term: 1, atMs: 1 }),
    line("leader", { term: 1, atMs: 3, fence: 5 }),
    line("prepare", { term: 2, atMs: 3 }),
  ],
};

test("two leaders after one another are right", () => {
  assert.deepEqual(check(right), { wrong: [], entries: 4, leaders: 2, terms: 2, twice: [], ofOldLeaders: 0 });
});

test("what stands in the journal twice is named", () => {
  const entries = journal([1, "led"], [1, term(1)], [1, term(1)], [1, ended], [1, ended]);
  assert.deepEqual(check({ ...right, entries }).twice, ["term 1", "ended"]);
});

const late = { ...right.entries[1]!, sequence: 9, id: "a.job.9", text: JSON.stringify(term(3)) };

const cases: readonly (readonly [string, RegExp, Partial<Witnesses>])[] = [
  ["a woken leader writes on", /stands where leader 5/, { entries: [...right.entries, late] }],
  [
    "a term opens twice",
    /opens term 1 after term 1/,
    { entries: journal([1, "led"], [1, term(1)], [5, "led"], [5, term(1)]) },
  ],
  ["two may decide at once", /two may decide at once/, { records: [...right.records, decided(1, 3)] }],
  [
    "two lead with one fence",
    /fence 1 was given to several/,
    { records: [...right.records, { ...decided(1, 1), coordinator: "c2 (20)" }] },
  ],
  [
    "a worker obeys the old leader",
    /obeyed leader 1 after leader 5/,
    { lines: [...right.lines, line("leader", { term: 2, atMs: 4, fence: 1 })] },
  ],
  [
    "a worker hears of what nobody wrote",
    /never written/,
    { lines: [...right.lines, line("prepare", { term: 3, atMs: 4 })] },
  ],
  [
    "the service's journal goes back",
    /the service's journal: .*fences go back/,
    { queue: journal([5, "led"], [1, "led"]) },
  ],
  [
    "a job is begun by two leaders",
    /the service's journal: j-1 is running after it was running/,
    { queue: journal([1, "led"], [1, submitted(1)], [1, running], [5, "led"], [5, running]) },
  ],
  ["a job is submitted twice", /j-1 is submitted twice/, { queue: journal([1, submitted(1)], [5, submitted(2)]) }],
  ["a submission is lost", /submission 3 follows 1/, { queue: journal([1, submitted(1)], [5, submitted(3, "j-3")]) }],
  ["a job that nobody submitted begins", /nobody has submitted it/, { queue: journal([1, running]) }],
  [
    "a job is forgotten that runs",
    /forgotten and was running/,
    { queue: journal([1, submitted(1)], [1, running], [1, { kind: "forgotten", job: "j-1" }]) },
  ],
];

for (const [name, found, otherwise] of cases) {
  test(`found: ${name}`, () => {
    assert.match(check({ ...right, ...otherwise }).wrong.join("\n"), found);
  });
}
