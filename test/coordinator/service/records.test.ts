/** The service's journal as it is read back: what no coordinator wrote is refused with the record's number, and nothing of it counts. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { replay, snapshot } from "../../../coordinator/service/records.ts";
import type { JobPhase, ServiceRecord } from "../../../coordinator/service/vocabulary.ts";
import { testJob } from "../jobs.ts";

const atMs = 1_700_000_000_000;
const submitted = {
  ...({ kind: "submitted", id: "one-0001", number: 1, atMs, name: "one", digest: "d", priority: 0 } as const),
  ...{ job: testJob(), sources: [{ path: "a.ts", text: "" }], by: "anna@lab", request: "r" },
};
const changed = (phase: JobPhase): ServiceRecord => ({ kind: "changed", job: "one-0001", phase, why: "so", atMs });
const phases: readonly JobPhase[] = [
  { kind: "queued" },
  { kind: "running" },
  { kind: "pausing", next: "paused" },
  { kind: "paused" },
  { kind: "cancelling" },
  { kind: "cancelled", endedMs: atMs, summary: null },
  { kind: "done", endedMs: atMs, summary: { errors: 1, verdict: "better", lost: null, whole: true } },
];

test("records as coordinators write them are taken, also as JSON gives them back, and from a snapshot", () => {
  for (const phase of phases) {
    const state = replay(JSON.parse(JSON.stringify([submitted, changed(phase)])));
    assert.deepEqual(state.jobs.get("one-0001")!.phase, phase);
    assert.deepEqual(replay(JSON.parse(JSON.stringify(snapshot(state)))).jobs, state.jobs);
  }
});

test("a record that is not well-formed is corrupt, by its number and by what is wrong in it", () => {
  const [kept] = snapshot(replay([submitted])).slice(1);
  assert.ok(kept?.kind === "kept");
  for (const [wrong, says] of [
    [null, /: record 2 is of no kind that is known here$/],
    [{ kind: "constructor" }, /: record 2 is of no kind that is known here$/],
    [{ kind: "counted", submissions: "1", turns: 1 }, /: record 2, of the kind counted: submissions: /],
    [{ ...submitted, job: null }, /: record 2, of the kind submitted: job: /],
    [{ ...submitted, job: { ...submitted.job, workers: {} } }, /of the kind submitted: job\.workers\.students: /],
    [{ ...submitted, sources: [null] }, /of the kind submitted: sources\.0: /],
    [{ ...submitted, id: "../../etc" }, /of the kind submitted: id: /],
    [{ ...submitted, name: "one/more" }, /of the kind submitted: name: /],
    [{ kind: "kept", job: { ...kept.job, id: "." } }, /of the kind kept: job\.id: /],
    [{ ...submitted, priority: "high" }, /of the kind submitted: priority: /],
    [{ ...changed({ kind: "queued" }), phase: { kind: "nobody" } }, /of the kind changed: phase\.kind: /],
    [{ ...changed({ kind: "queued" }), phase: { kind: "done" } }, /of the kind changed: phase\.endedMs: /],
    [{ ...changed({ kind: "queued" }), turn: -1 }, /of the kind changed: turn: /],
    [{ kind: "kept", job: { ...kept.job, startedMs: "now" } }, /of the kind kept: job\.startedMs: /],
    [{ kind: "forgotten" }, /of the kind forgotten: job: /],
  ] as const)
    assert.throws(
      () => replay([submitted, wrong as unknown as ServiceRecord]),
      (error: Error & { code?: string }) => {
        assert.equal(error.code, "corrupt");
        assert.match(error.message, /^the journal of the service holds what no coordinator wrote: record 2\b/);
        assert.match(error.message, says);
        return true;
      },
    );
});
