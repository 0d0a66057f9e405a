/** Which of a service's jobs is meant by what somebody types. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type JobEntry, jobMeant, onlyJob } from "../../core/jobentry.ts";

function entry(id: string, changes: Partial<JobEntry> = {}): JobEntry {
  return {
    ...{ id, name: id.replace(/-[0-9a-f]{4}$/, ""), state: "running", why: "", priority: 0, by: "ada@loom" },
    ...{ submittedMs: 1, startedMs: null, endedMs: null, sinceMs: 1, workers: [] },
    ...{ stage: null, step: 0, steps: 0, samplesPerSecond: 0, remainingSeconds: null, summary: null },
    ...changes,
  };
}

const jobs = [
  entry("mnist-7f3a", { state: "done", submittedMs: 1 }),
  entry("mnist-81c0", { submittedMs: 2 }),
  entry("digits-0a11", { state: "queued", submittedMs: 3 }),
  entry("digits-large-0a12", { state: "cancelled", submittedMs: 4 }),
];
const meant = (text: string, among: readonly JobEntry[] = jobs) => jobMeant(among, text).id;
const refused = (message: RegExp) => ({ code: "usage", message });

test("an id, the beginning of one, or a name", () => {
  assert.equal(meant("mnist-7f3a"), "mnist-7f3a");
  assert.equal(meant("mnist-8"), "mnist-81c0");
  assert.equal(meant("digits"), "digits-0a11", "a whole name goes before the beginning of another id");
  assert.equal(meant("digits-large"), "digits-large-0a12");
});

test("of several jobs with one name the one that is not over, else the last", () => {
  assert.equal(meant("mnist"), "mnist-81c0");
  assert.equal(
    meant("a", [entry("a-0001", { state: "done" }), entry("a-0002", { state: "failed", submittedMs: 2 })]),
    "a-0002",
  );
});

test("what may mean several, or none, is refused with what would be right", () => {
  assert.throws(
    () => meant("mnist-"),
    refused(/^mnist- may be any of 2 jobs: mnist-7f3a, mnist-81c0; name one by its id$/),
  );
  assert.throws(() => meant("mnits"), refused(/^there is no job mnits: did you mean mnist\?$/));
  assert.throws(() => meant("mnist-7f3b"), refused(/did you mean mnist-7f3a\?$/));
  assert.throws(() => meant("quite-other"), refused(/limbeck list --all shows which there are$/));
  assert.throws(() => meant(""), refused(/there is no job/));
  assert.throws(() => meant("mnist", []), refused(/the coordinator has none$/));
});

test("without a name, the only one that is not over, else the only one", () => {
  assert.equal(onlyJob([jobs[0]!, jobs[1]!]).id, "mnist-81c0");
  assert.equal(onlyJob([jobs[0]!]).id, "mnist-7f3a");
  assert.throws(() => onlyJob([]), refused(/has no job yet/));
  assert.throws(() => onlyJob(jobs), refused(/has 2 jobs: name one, such as mnist-81c0, digits-0a11$/));
});
