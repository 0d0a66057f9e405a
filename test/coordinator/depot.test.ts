/** What the coordinator keeps in the depot, and what it makes of it where its own folder is lost. */
import assert from "node:assert/strict";
import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { type KeptJob, keptIn } from "../../coordinator/depot/keeping.ts";
import { recordsIn, recoverFolder } from "../../coordinator/depot/recover.ts";
import { removeFolder } from "../../coordinator/depot/removal.ts";
import { openJournal } from "../../coordinator/folder/journal.ts";
import type { JournalRecord } from "../../coordinator/journalrecord.ts";
import { openRecords } from "../../coordinator/records.ts";
import { LimbeckError } from "../../core/errors.ts";
import type { ProgressEvent } from "../../core/events.ts";
import type { Depot } from "../../proto/depot/depot.ts";
import { openDepot } from "../../proto/depot/open.ts";
import { type Log, silent } from "../../proto/telemetry/log.ts";
import { scratchFolder } from "../e2e/limbeck.ts";
import { smokeJob } from "../worker/foreman.ts";
import { gate } from "./gate.ts";

const started: JournalRecord = { kind: "started", atMs: 1, build: "0" };
const paused = (term: number): JournalRecord => ({ kind: "paused", term });
const term = (number: number): JournalRecord => {
  const deal = [{ worker: "student-1", firstLane: 0, lanes: 4 }];
  const members = { deal, teachers: [], instances: { "student-1": "i" } };
  return { kind: "term", atMs: 2, term: number, stage: "teach", ...members, rollbackBelow: null, why: "a test" };
};
const told: ProgressEvent = { kind: "job-paused", why: "a test", atMs: 3 };
const checkpointed: ProgressEvent = {
  ...{ kind: "checkpointed", stage: "teach", step: 10, folder: "checkpoints/teach-00000010", bytes: 1, atMs: 4 },
} as const;

interface Setting {
  readonly depot: Depot;
  readonly state: string;
  open(depot?: Depot, changes?: Partial<KeptJob>): Promise<ReturnType<typeof keptIn>>;
}

async function setting(t: TestContext): Promise<Setting> {
  const scratch = await scratchFolder(t);
  const depot = await openDepot(String(pathToFileURL(join(scratch, "depot"))));
  const state = join(scratch, "state");
  const open = async (into = depot, changes: Partial<KeptJob> = {}) => {
    const journal = await openJournal<JournalRecord>(state);
    const records = await openRecords(state, smokeJob(), scratch, { resume: true });
    const mayDecide = async () => {};
    const remedy = "limbeck delete x-0001 removes them";
    return keptIn(into, { journal, records, runFolder: state, log: silent, mayDecide, remedy, ...changes });
  };
  return { depot, state, open };
}

test("journal and events come back into an empty folder as they were at the last checkpoint, with terms far above", async (t) => {
  const { depot, state, open } = await setting(t);
  const { journal, records } = await open();
  for (const record of [started, term(1), paused(1), term(2)]) await journal.append(record);
  await records.append(told);
  await records.append(checkpointed);
  await records.close();
  await journal.close();
  const events = await readFile(join(state, "events.jsonl"), "utf8");
  await rm(state, { recursive: true });

  assert.equal(await recoverFolder(depot, state, 9), true);
  assert.equal(await readFile(join(state, "events.jsonl"), "utf8"), events);
  assert.ok((await readdir(state)).includes("job.yaml"));
  const again = await open();
  const [last] = again.journal.records.slice(-1);
  assert.deepEqual(again.journal.records.slice(0, -1), [started, term(1), paused(1), term(2)]);
  // L3. Of terms between the copy and the loss workers may live.
  assert.deepEqual(last, { kind: "recovered", atMs: 9, term: 1002 });
  assert.equal(again.records.events.length, 2);
  await again.records.close();
  await again.journal.close();
  const records2 = await recordsIn(depot, 10);
  assert.deepEqual(records2.at(-1), { kind: "recovered", atMs: 10, term: 2002 }, "lost a second time, farther still");
});

test("a depot that has nothing of the job leaves the folder as it is", async (t) => {
  const { depot, state } = await setting(t);
  assert.equal(await recoverFolder(depot, state, 9), false);
  await assert.rejects(readdir(state));
});

test("a depot that is away holds nobody up, and fails nothing", async (t) => {
  const { depot, open, state } = await setting(t);
  let asked = 0;
  const away: Depot = {
    ...depot,
    async put() {
      asked++;
      throw new Error("away");
    },
  };
  const { journal, records } = await open(away);
  await journal.append(started);
  await records.append(checkpointed);
  await records.append(checkpointed);
  await records.close();
  await journal.close();
  assert.ok(asked >= 2, "when it was due, and at the end");
  assert.match(await readFile(join(state, "events.jsonl"), "utf8"), /checkpointed/);
});

test("who leads no more puts nothing over its successor's copies, whether the lease tells it or the journal", async (t) => {
  const stale = async () => {
    throw new LimbeckError("stale_term", "another leads");
  };
  const refusing = { records: [], note: "", append: stale, compact: stale, close: async () => {} };
  for (const changes of [{ mayDecide: stale }, { journal: refusing }] as Partial<KeptJob>[]) {
    const { depot, open } = await setting(t);
    const successors = new TextEncoder().encode("the successor's\n");
    await depot.put("journal.jsonl", successors, AbortSignal.timeout(5_000));
    const { journal, records } = await open(depot, changes);
    await journal.append(started).catch(({ code }: LimbeckError) => assert.equal(code, "stale_term"));
    await records.append(checkpointed);
    await records.close();
    await journal.close();
    assert.deepEqual(new Uint8Array(await depot.read("journal.jsonl")), successors);
  }
});

const finished: ProgressEvent = { kind: "job-finished", report: {}, atMs: 5 };

test("checkpoints of a job that is done go, after all that says so; those of one that failed stay", async (t) => {
  const failed: ProgressEvent = { kind: "job-failed", code: "bad_data", message: "a test", atMs: 5 };
  const checkpoint = ["manifest.json", "weights.safetensors"].map((name) => `checkpoints/distil-00000010/${name}`);
  for (const last of [finished, failed]) {
    const { depot, open } = await setting(t);
    for (const key of [...checkpoint, "student/model.json"]) await depot.put(key, new Uint8Array(1));
    const removed: string[] = [];
    const watched: Depot = {
      ...depot,
      async removeOne(key, signal) {
        assert.match(new TextDecoder().decode(await depot.read("events.jsonl")), /job-finished/);
        removed.push(key);
        await depot.removeOne(key, signal);
      },
    };
    const { journal, records } = await open(watched);
    await journal.append(started);
    await records.append(last);
    await records.close();
    await journal.close();
    const there = (await depot.list("")).map(({ key }) => key);
    const isDone = last.kind === "job-finished";
    assert.deepEqual(removed, isDone ? checkpoint : [], "the manifest first");
    assert.deepEqual(
      there.filter((key) => key.includes("/")),
      [...(isDone ? [] : checkpoint), "student/model.json"],
    );
  }
});

test("checkpoints that cannot be removed are told of as such; to a successor all is left", async (t) => {
  for (const code of ["unavailable", "stale_term"] as const) {
    const { depot, open } = await setting(t);
    await depot.put("checkpoints/distil-00000010/manifest.json", new Uint8Array(1));
    const removeOne = async () => {
      throw new LimbeckError(code, "as the test says");
    };
    const warned: string[] = [];
    const log = { warn: (_: object, why: string) => warned.push(why) } as unknown as Log;
    const { journal, records } = await open({ ...depot, removeOne }, { log });
    await journal.append(started);
    await records.append(finished);
    await records.close();
    await journal.close();
    const remedy = "as the test says; limbeck delete x-0001 removes them";
    const told = `checkpoints of the job, which is done, stay in ${depot.where}: ${remedy}`;
    assert.deepEqual(warned, code === "unavailable" ? [told] : []);
  }
});

test("a folder is listed once, and goes in an order in which nothing that is left counts", async (t) => {
  const { depot } = await setting(t);
  const folder = [
    ...["checkpoints/distil-1/manifest.json", "checkpoints/distil-1/weights", "events.jsonl", "journal.jsonl"],
    ...["report.html", "report.json", "student/model.json", "student/weights.bin"],
  ];
  for (const key of [...folder.map((key) => `job/${key}`), "jobs/x"]) await depot.put(key, new Uint8Array(1));
  const done: string[] = [];
  const watched: Depot = {
    ...depot,
    async list(prefix, signal) {
      done.push(`list ${prefix}`);
      return await depot.list(prefix, signal);
    },
    remove: () => assert.fail("lists it again"),
    async removeOne(key, signal) {
      done.push(key);
      await depot.removeOne(key, signal);
    },
  };
  const mayRemove = async () => void done.push("may");
  await removeFolder(watched, "job", { mayRemove, signal: AbortSignal.timeout(5_000) });
  const order = [3, 0, 6, 5, 1, 2, 4, 7].flatMap((at) => ["may", `job/${folder[at]}`]);
  assert.deepEqual(done, ["list job", ...order]);
  assert.deepEqual(
    (await depot.list("")).map(({ key }) => key),
    ["jobs/x"],
  );
});

test("a removal that takes too long is over when nothing of it is under way", async (t) => {
  const { depot } = await setting(t);
  for (const key of ["job/a", "job/b"]) await depot.put(key, new Uint8Array(1));
  const [asked, answered, late] = [gate(), gate(), new AbortController()];
  const slow: Depot = {
    ...depot,
    async removeOne(key) {
      asked.open();
      await answered.opened;
      await depot.removeOne(key);
    },
  };
  let isOver = false;
  const removing = removeFolder(slow, "job", { mayRemove: async () => {}, signal: late.signal }).finally(() => {
    isOver = true;
  });
  removing.catch(() => {});
  await asked.opened;
  late.abort(new Error("too late"));
  for (let turns = 0; turns < 20; turns++) await setImmediate();
  assert.equal(isOver, false);
  answered.open();
  await assert.rejects(removing, { message: "too late" });
  assert.deepEqual(
    (await depot.list("")).map(({ key }) => key),
    ["job/b"],
  );
});
