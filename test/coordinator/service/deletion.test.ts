/** What a deletion meets on its way: submissions, other deletions, another leader, a depot that is slow. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { type Deletions, deletions } from "../../../coordinator/service/deletion.ts";
import type { Reign } from "../../../coordinator/service/reign.ts";
import { Results } from "../../../coordinator/service/results.ts";
import type { QueuedJob } from "../../../coordinator/service/vocabulary.ts";
import { type Depot, within } from "../../../proto/depot/depot.ts";
import { openDepot } from "../../../proto/depot/open.ts";
import { lastingJobId } from "../../../proto/jobsha256.ts";
import { s3Server } from "../../s3server.ts";
import { gate } from "../gate.ts";
import { bounded, scratch } from "../sessions.ts";
import { ended } from "./ended.ts";

const name = "same";
const first = ended("same-0001", { name });
const second = ended("same-0002", { name });
const keys = [
  "checkpoints/distil-1/manifest.json",
  "checkpoints/distil-1/weights",
  "journal.jsonl",
  "student/model.json",
];

interface Setting extends Deletions {
  /** Those that there are. */
  readonly jobs: Map<string, QueuedJob>;
  /** Theirs. */
  readonly depot: Depot;
  readonly kept: () => Promise<readonly string[]>;
}

/** @param mayDecide asked before each object */
async function setting(
  t: TestContext,
  all: readonly QueuedJob[],
  mayDecide: (jobs: Map<string, QueuedJob>) => void = () => {},
): Promise<Setting> {
  const folder = await scratch(t);
  const url = String(pathToFileURL(join(folder, "depot")));
  const jobs = new Map(all.map((job) => [job.id, job]));
  const reign = {
    state: { jobs },
    mayDecide: async () => mayDecide(jobs),
    async ask({ job }: { readonly job: string }) {
      jobs.delete(job);
      return { job, phase: "done", isNew: false, why: "it was deleted" };
    },
  } as unknown as Reign;
  const results = new Results({ folder, depot: url });
  t.after(() => results.close());
  const depot = within(await openDepot(url), lastingJobId(first.job, name));
  for (const key of keys) await depot.put(key, new Uint8Array(1));
  const kept = async () => (await depot.list("")).map(({ key }) => key);
  return { ...deletions({ reign: () => reign, results }), jobs, depot, kept };
}

test(
  "what was submitted before is decided before anything goes, and keeps what it goes on from",
  bounded,
  async (t) => {
    const { submitting, deleting, jobs, kept } = await setting(t, [first]);
    const decided = gate<string>();
    const submitted = submitting(second, () => decided.opened);
    const deleted = deleting(first, "");
    for (let turns = 0; turns < 20; turns++) await setImmediate();
    jobs.set(second.id, second);
    decided.open(second.id);
    assert.equal(await submitted, second.id);
    assert.match((await deleted).why!, /same-[0-9a-f]{8} stays, for same-0002 is the same job$/);
    assert.deepEqual(await kept(), keys);
  },
);

test("of two that are the same, deleted at once, the last takes what both have", bounded, async (t) => {
  const { deleting, kept } = await setting(t, [first, second]);
  const told = await Promise.all([deleting(first, ""), deleting(second, "")]);
  assert.deepEqual([/stays, for same-0002/.test(told[0].why!), told[1].why], [true, "it was deleted"]);
  assert.deepEqual(await kept(), []);
});

test("one that never began, and is over, keeps nothing of another", bounded, async (t) => {
  const cancelled = { kind: "cancelled", endedMs: 3, summary: null } as const;
  const unbegun = { ...second, startedMs: null };
  for (const [other, stays] of [
    [{ ...unbegun, phase: cancelled }, false],
    [{ ...unbegun, phase: { kind: "queued" } }, true],
    [{ ...second, phase: cancelled }, true],
  ] as const) {
    const { deleting, kept } = await setting(t, [first, other]);
    const { why } = await deleting(first, "");
    assert.equal(/stays/.test(why!), stays, why);
    assert.deepEqual(await kept(), stays ? keys : []);
  }
});

test("a leader that finds the same job in its list again takes nothing more of it", bounded, async (t) => {
  let objects = 0;
  const { deleting, jobs, kept } = await setting(t, [first], (all) => {
    if (++objects === 3) all.set(second.id, second);
  });
  const message = /^what is left of file:.*\/same-[0-9a-f]{8} stays, for same-0002 is the same job$/;
  await assert.rejects(deleting(first, ""), { code: "unavailable", message });
  assert.deepEqual(await kept(), ["checkpoints/distil-1/weights", "student/model.json"]);
  assert.ok(jobs.has(first.id), "and it can be asked again");
});

test("a removal that takes too long stops, and says what to do", bounded, async (t) => {
  const server = await s3Server();
  t.after(() => server.close());
  Object.assign(process.env, server.env);
  const url = `s3://${server.bucket}`;
  const depot = within(await openDepot(url), lastingJobId(first.job, name));
  for (const key of keys) await depot.put(key, new Uint8Array(1));
  const late = new AbortController();
  const results = new Results({ folder: await scratch(t), depot: url });
  t.after(() => results.close());
  server.before = async ({ what }) => {
    if (!what.startsWith("DELETE")) return;
    late.abort(new DOMException("late", "TimeoutError"));
    await setImmediate();
  };
  const parts = { jobs: () => [first], mayDecide: async () => {}, signal: late.signal };
  const message = /^not all of s3:\S+ could be removed in time: the same again removes the rest$/;
  await assert.rejects(results.remove(first, parts), { code: "timeout", message });
  const removals = () => server.requests.filter(({ what }) => what.startsWith("DELETE")).length;
  assert.equal(removals(), 1);
  for (let turns = 0; turns < 20; turns++) await setImmediate();
  assert.deepEqual([removals(), (await depot.list("")).length >= keys.length - 1], [1, true]);
});
