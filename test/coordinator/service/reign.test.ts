/** The service while it leads: what it decides is durable before anybody sees it, and its journal says the same as it does. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Question } from "../../../coordinator/service/reign.ts";
import { testJob } from "../jobs.ts";
import { bounded, scratch } from "../sessions.ts";
import { reigning } from "./reigning.ts";
import { until } from "./services.ts";

const job = testJob();

function submission(name: string): Question {
  return { kind: "submitted", name, digest: name, priority: 0, job, sources: [], by: "anna@lab" };
}

const control = (id: string, action: "cancel" | "pause" | "resume"): Question => ({
  ...{ kind: "controlled", job: id, action, why: "" },
});

test("while the store is away nothing is shown of what it has not taken, and nobody is answered", bounded, async (t) => {
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
});
