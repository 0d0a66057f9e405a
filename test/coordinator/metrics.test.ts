/** However many workers and terms there were, the coordinator's series are bounded by the workers there are. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Registry } from "prom-client";
import { open } from "../../coordinator/gather.ts";
import { createMetrics } from "../../coordinator/metrics.ts";
import type { Happening, State } from "../../coordinator/state.ts";
import { step } from "../../coordinator/step.ts";
import { assertWellFormed, series } from "../metricstext.ts";
import { messageOf } from "../scenario/speech.ts";
import { testJob, testPlan } from "./jobs.ts";

/** A job that is decided by the real coordinator, and its metrics. */
class Simulated {
  #atMs = 0;
  readonly #registry = new Registry();
  readonly #plan = testPlan(testJob({ workers: { students: { min: 1, max: 4 }, teachers: 1 } }));
  readonly #metrics = createMetrics(this.#registry, {
    job: this.#plan.job,
    stages: ["teach", "distil", "baseline"],
    now: () => this.#atMs,
  });
  state: State = open(this.#plan, 0)[0];

  happen(happening: Happening): void {
    this.#atMs += 10;
    const [next, ...effects] = step(this.#plan, this.state, { ...happening, atMs: this.#atMs });
    this.state = next;
    for (const effect of effects) {
      if (effect.kind === "announce") this.#metrics.announced(effect.event);
      if (effect.kind === "measure") this.#metrics.measured(effect.progress, effect.by);
    }
  }

  say(session: number, verb: string, values: Record<string, string> = {}, role = "student"): void {
    const term = "term" in this.state ? this.state.term : 0;
    const stage = "course" in this.state && this.state.course ? this.state.course.plan.stage : "teach";
    const line = { verb, words: [`worker-${session}`, role], values };
    this.happen({ kind: "message", session, message: messageOf(line, term, stage) });
  }

  async text(): Promise<string> {
    this.#metrics.refresh(this.state);
    return await this.#registry.metrics();
  }
}

test("hundreds of workers that come and go, in hundreds of terms, leave no series behind", async () => {
  const job = new Simulated();
  job.say(0, "hello", {}, "teacher");
  job.say(0, "prepared");
  const sizes: number[] = [];
  for (let session = 1; session <= 400; session++) {
    job.say(session, "hello");
    job.say(session, "prepared");
    job.say(session, "ready", { sha: "w0" });
    job.say(session, "progress", { step: String((session % 3) + 1) });
    job.say(session, "skipped", { step: String(session), lane: "1" });
    const text = await job.text();
    assertWellFormed(text);
    const workers = new Set(series(text).flatMap(({ labels }) => labels["worker"] ?? []));
    assert.deepEqual([...workers], ["worker-0", `worker-${session}`], "only who is there");
    job.happen({ kind: "broken", session, why: "it died" });
    const after = series(await job.text());
    assert.ok(!after.some(({ labels }) => labels["worker"] === `worker-${session}`), "its series go when it goes");
    sizes.push(after.length);
  }
  const terms = "term" in job.state ? job.state.term : 0;
  assert.ok(terms >= 200, `${terms} terms`);
  assert.equal(sizes.at(-1), sizes[50], "what happens again and again adds nothing");
  assert.ok(sizes.at(-1)! < 300, `${sizes.at(-1)} series with one worker`);
});
