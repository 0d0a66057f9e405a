/** The service while it leads: what it decides is durable before anybody sees it, and its journal says the same as it does. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { replay } from "../../../coordinator/service/records.ts";
import type { Question } from "../../../coordinator/service/reign.ts";
import type { JobPhase, QueuedJob, ServiceRecord } from "../../../coordinator/service/vocabulary.ts";
import { testJob } from "../jobs.ts";
import { bounded, scratch } from "../sessions.ts";
import { reigning } from "./reigning.ts";
import { until } from "./services.ts";

const job = testJob();

function submission(name: string): Question {
  const question = { kind: "submitted", name, digest: name, priority: 0, job, sources: [], by: "anna@lab" } as const;
  return { ...question, request: "", mostJobs: 100 };
}

const control = (id: string, action: "cancel" | "pause" | "resume"): Question => ({
  ...{ kind: "controlled", job: id, action, why: "" },
});

test(
  "while the store is away nothing is shown of what it has not taken, and nobody is answered",
  bounded,
  async (t) => {
    const { reign, waiting, goAway } = await reigning(t, await scratch(t));
    const { job: id } = await reign.ask(submission("one"));
    const phase = () => reign.state.jobs.get(id)?.phase.kind;
    assert.equal(phase(), "queued", "who is answered can see it");
    const back = goAway();
    let isAnswered = false;
    const cancelling = reign.ask(control(id, "cancel")).finally(() => {
      isAnswered = true;
    });
    await until(async () => waiting() > 0);
    assert.deepEqual([phase(), isAnswered], ["queued", false], "a leader that dies now has not cancelled it");
    back();
    assert.equal((await cancelling).phase, "cancelled");
    assert.equal(phase(), "cancelled");
  },
);

test(
  "a journal that grows too long in the middle of what was decided at once gives the same state again",
  bounded,
  async (t) => {
    const { reign, records } = await reigning(t, await scratch(t));
    const { job: id } = await reign.ask(submission("one"));
    // More than are written before it is written anew; and then records of which each counts.
    const changes = Array.from({ length: 2_100 }, (_, at) => control(id, at % 2 === 0 ? "pause" : "resume"));
    const asked = [...changes, submission("two"), submission("three")].map((question) => reign.ask(question));
    await Promise.all(asked);
    await until(async () => records().length < 1_000);
    const { submissions, turns, jobs } = replay(records());
    assert.deepEqual(
      [submissions, turns, [...jobs]],
      [reign.state.submissions, reign.state.turns, [...reign.state.jobs]],
    );
  },
);

test("code that came with jobs goes from the journal when they are over, however few they were", bounded, async (t) => {
  const { reign, records } = await reigning(t, await scratch(t));
  const text = "x".repeat(256 * 1_024);
  for (let at = 0; at < 40; at++) {
    const { job: id } = await reign.ask({ ...submission(`${at}`), sources: [{ path: "a.mjs", text }] } as Question);
    await reign.ask(control(id, "cancel"));
  }
  const bytes = JSON.stringify(records()).length;
  assert.ok(bytes < 3 * 2 ** 20, `${bytes} bytes of 40 jobs with 256 KiB each`);
  assert.equal(replay(records()).jobs.size, 40);
});

/** As a snapshot has it. */
function kept(id: string, phase: JobPhase, startedMs: number | null = 1): ServiceRecord {
  const submission = { name: id, digest: id, priority: 0, job, sources: [], by: "anna@lab", request: "" };
  const times = { submittedMs: 1, startedMs, sinceMs: 2 };
  const queued: QueuedJob = { ...submission, ...times, id, number: 1, turn: 1, phase, why: "a test says so" };
  return { kind: "kept", job: queued };
}

const cancelled: JobPhase = { kind: "cancelled", endedMs: 2, summary: null };

test("a journal of what no coordinator wrote is told of by the record's number", bounded, async (t) => {
  for (const [record, says] of [
    [null, /record 2 is of no kind that is known here/],
    [{ kind: "submitted", id: "one" }, /record 2, of the kind submitted: /],
    [{ kind: "kept" }, /record 2, of the kind kept: /],
  ] as const) {
    const journals = { service: [kept("first", { kind: "paused" }), record] };
    await assert.rejects(reigning(t, await scratch(t), { journals }), { code: "corrupt", message: says });
  }
});

test("what is asked of it when it decides no more is answered with that", bounded, async (t) => {
  const { reign, over } = await reigning(t, await scratch(t));
  reign.end("it closes");
  await over;
  await assert.rejects(reign.ask(submission("one")), { code: "not_leader" });
});

test("a store that does not let the journal of a job that is over be emptied holds decisions up for a while only", {
  ...bounded,
}, async (t) => {
  const journals = { service: [kept("one", { kind: "paused" })] };
  const { reign, warnings } = await reigning(t, await scratch(t), { journals, withheld: ["one"] });
  assert.equal((await reign.ask(control("one", "cancel"))).phase, "cancelled");
  assert.deepEqual(warnings, [
    "the journal of one, which is over, stays as it is: the store did not take it for 0.1 s",
  ]);
});

test("journals that whoever led before has not emptied are emptied, of jobs that are over", bounded, async (t) => {
  const over = ["one", "two", "three"];
  const queue = [...over.map((id) => kept(id, cancelled)), kept("paused", { kind: "paused" })];
  const journals = {
    service: [...queue, kept("never", cancelled, null)],
    ...Object.fromEntries([...over, "paused"].map((id) => [id, [{ kind: "ended" }]])),
  };
  const { asked, recordsOf, looks } = await reigning(t, await scratch(t), { journals });
  await until(async () => over.every((id) => recordsOf(id).length === 0));
  const seen = looks();
  await until(async () => looks() > seen + 5);
  assert.deepEqual(asked, ["service", ...over]);
  assert.equal(recordsOf("paused").length, 1);
});

test("where the store does not let one be emptied, the others are the next leader's", bounded, async (t) => {
  const queue = ["one", "two"].map((id) => kept(id, cancelled));
  const before = { journals: { service: queue }, withheld: ["one"] };
  const { asked, warnings, looks } = await reigning(t, await scratch(t), before);
  await until(async () => warnings.length > 0);
  const seen = looks();
  await until(async () => looks() > seen + 5);
  assert.deepEqual(asked, ["service", "one"]);
});
