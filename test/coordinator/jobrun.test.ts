/** Whether a job is decided about: from when its journal has been read, until it is over or the journal cannot be written. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { Registry } from "prom-client";
import { type JobRun, openJobRun } from "../../coordinator/jobrun.ts";
import type { JournalRecord } from "../../coordinator/journalrecord.ts";
import { openRecords } from "../../coordinator/records.ts";
import type { Journal } from "../../coordinator/store.ts";
import { LimbeckError } from "../../core/errors.ts";
import { silent } from "../../proto/telemetry/log.ts";
import { testJob, testPlan } from "./jobs.ts";
import { bounded, scratch } from "./sessions.ts";

async function jobOn(t: TestContext, append: Journal<JournalRecord>["append"]): Promise<JobRun> {
  const folder = join(await scratch(t), "run");
  const journal: Journal<JournalRecord> = {
    ...{ records: [], note: "", append, compact: async () => {}, close: async () => {} },
  };
  const plan = testPlan(testJob());
  return openJobRun({
    ...{ plan, journal, records: await openRecords(folder, plan.job, folder), registry: new Registry() },
    ...{ wire: { send() {}, refuse() {} }, served: () => ({ address: "", paths: [] }), mayDecide: async () => {} },
    ...{ log: silent, now: Date.now },
  });
}

test("before it has begun, while it goes on, and when it is over", bounded, async (t) => {
  const run = await jobOn(t, async () => {});
  assert.equal(run.trouble(), "it has not begun to decide");
  const ended = run.begin();
  for await (const [event] of run.log.numbered()) if (event.kind === "job-started") break;
  assert.equal(run.trouble(), "");
  run.happen({ kind: "stop", why: "enough" });
  assert.equal((await ended).kind, "stopped");
  assert.equal(run.trouble(), "the job is over");
});

test("a journal that cannot be written is why it decides no more", bounded, async (t) => {
  const run = await jobOn(t, async () => {
    throw new LimbeckError("unavailable", "no space is left");
  });
  assert.equal((await run.begin()).kind, "left", "the job is not over for that");
  assert.equal(run.trouble(), "what it decides cannot be kept: no space is left");
});
