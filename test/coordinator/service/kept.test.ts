/** A job of the service whose store has lost all goes on from what the depot has of it, also when it is opened once more. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { pathToFileURL } from "node:url";
import { openFolderStore } from "../../../coordinator/folder/store.ts";
import type { JournalRecord } from "../../../coordinator/journalrecord.ts";
import { type Kept, openKept } from "../../../coordinator/service/kept.ts";
import type { QueuedJob } from "../../../coordinator/service/vocabulary.ts";
import { silent } from "../../../proto/telemetry/log.ts";
import { testJob } from "../jobs.ts";
import { bounded, scratch } from "../sessions.ts";

const own = { name: "one", address: "", http: "" };
const job: QueuedJob = {
  ...{ id: "mnist-7f3a", name: "mnist", number: 1, turn: 1, digest: "d", priority: 0, job: testJob(), sources: [] },
  ...{ by: "anna@lab", request: "", phase: { kind: "running" }, why: "", submittedMs: 1, startedMs: 1, sinceMs: 1 },
};
const term = (number: number): JournalRecord => ({
  ...{ kind: "term", atMs: 2, term: number, stage: "teach", deal: [], teachers: [], instances: {} },
  ...{ rollbackBelow: null, why: "a test" },
});

/** Opened by the leader of a store in that folder, which also has the run folder. */
async function opened(t: TestContext, folder: string, depot: string): Promise<Kept> {
  const store = openFolderStore(join(folder, "store"));
  const leadership = await store.lead(own, { standby() {}, signal: t.signal });
  const journal = await leadership.journal<JournalRecord>(job.id);
  const parts = { journal, leadership, runFolder: join(folder, "run"), depot, log: silent, now: () => 9 };
  const kept = await openKept(job, parts);
  return {
    ...kept,
    // As a run that ends here: the last copies are waited for.
    async close() {
      await kept.records.close();
      await kept.journal.close();
      await kept.close();
      await leadership.resign();
    },
  };
}

test(
  "its journal is the depot's copy, with terms far above those that workers may live in, and is durable",
  bounded,
  async (t) => {
    const folder = await scratch(t);
    const depot = String(pathToFileURL(join(folder, "depot")));
    const records: JournalRecord[] = [{ kind: "started", atMs: 1, build: "0" }, term(1), term(2)];
    const first = await opened(t, join(folder, "first"), depot);
    for (const record of records) await first.journal.append(record);
    await first.close();

    const recovered = [...records, { kind: "recovered", atMs: 9, term: 1_002 }];
    for (const life of ["the first after the loss", "the next"]) {
      const kept = await opened(t, join(folder, "second"), depot);
      assert.deepEqual(kept.journal.records, recovered, life);
      await kept.close();
    }
    const again = await opened(t, join(folder, "first"), depot);
    assert.deepEqual(again.journal.records, records, "a store that has the job needs no copy");
    await again.close();
  },
);

test("a depot that is away begins nothing that the store knows anew, and ends no job", bounded, async (t) => {
  const folder = await scratch(t);
  // A file where the folder should be.
  const depot = String(pathToFileURL(join(folder, "first", "store", "leader.json", "depot")));
  const first = await opened(t, join(folder, "first"), depot);
  assert.deepEqual(first.journal.records, []);
  await first.journal.append(term(1));
  await first.close();
  const second = await opened(t, join(folder, "first"), depot);
  assert.deepEqual(second.journal.records, [term(1)]);
  await second.close();
});
