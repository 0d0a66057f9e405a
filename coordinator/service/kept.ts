/** What a job of the service has that outlives the process: its journal and events in the store, its records in the run folder, copies in the depot. */

import { join } from "node:path";
import { asLimbeckError } from "../../core/errors.ts";
import { type Depot, within } from "../../proto/depot/depot.ts";
import { openDepot } from "../../proto/depot/open.ts";
import { makeFolder, writeTextWhole, writing } from "../../proto/files.ts";
import { lastingJobId } from "../../proto/jobsha256.ts";
import type { Log } from "../../proto/telemetry/log.ts";
import { keptIn } from "../depot/keeping.ts";
import { recordsIn } from "../depot/recover.ts";
import type { JournalRecord } from "../journalrecord.ts";
import { openRecords, type Records, readEvents } from "../records.ts";
import type { DepotPlace } from "../state.ts";
import type { EventStore, Journal, Leadership } from "../store.ts";
import type { QueuedJob } from "./vocabulary.ts";

export interface KeptParts {
  /** Of the job; closed with the rest. */
  readonly journal: Journal<JournalRecord>;
  readonly leadership: Leadership;
  readonly runFolder: string;
  readonly depot: string | null;
  readonly log: Log;
  readonly now: () => number;
}

export interface Kept {
  readonly journal: Journal<JournalRecord>;
  readonly records: Records;
  /** null where all share the run folder. */
  readonly place: DepotPlace | null;
  close(): Promise<void>;
}

/** Opens the rest of it; where the store has lost the job and the depot has it, from there. */
export async function openKept(
  job: QueuedJob,
  { journal, leadership, runFolder, depot: url, log, now }: KeptParts,
): Promise<Kept> {
  const closing: { close(): Promise<void> }[] = [journal];
  // What the job has closed itself is closed; what cannot be has been told of before.
  const close = async () => {
    for (const each of closing.splice(0).reverse()) await each.close().catch(() => {});
  };
  try {
    const events = await leadership.events(job.id);
    closing.push(events);
    await restoreEvents(runFolder, events);
    const records = told(await openRecords(runFolder, job.job, runFolder, { resume: true }), events);
    closing.push(records);
    if (url === null) return { journal, records, place: null, close };
    const place = { url, folder: lastingJobId(job.job, job.name) };
    const whole = await openDepot(url, { name: `limbeck, job ${job.id}` });
    closing.unshift(whole);
    const depot = within(whole, place.folder);
    const found = await recovered(journal, { depot, atMs: now() }).catch((thrown) => {
      // The store has nothing of the job either, so it most likely is new; what workers look for they wait for.
      log.warn({ event: "depot-away", job: job.id }, `${asLimbeckError(thrown).message}; the job begins anew`);
      return journal;
    });
    const remedy = `limbeck delete ${job.id} removes them`;
    const mayDecide = () => leadership.held();
    return { ...keptIn(depot, { journal: found, records, runFolder, log, mayDecide, remedy }), place, close };
  } catch (thrown) {
    await close();
    throw thrown;
  }
}

/** A journal that has nothing begins with what the depot has of the same job. */
async function recovered(
  journal: Journal<JournalRecord>,
  { depot, atMs }: { readonly depot: Depot; readonly atMs: number },
): Promise<Journal<JournalRecord>> {
  if (journal.records.length > 0) return journal;
  const records = await recordsIn(depot, atMs);
  if (records.length === 0) return journal;
  await journal.compact(records);
  return { ...journal, records };
}

/** A coordinator that does not see the folder of the one before it has the events of the store. */
async function restoreEvents(runFolder: string, { events }: EventStore): Promise<void> {
  const here = await readEvents(runFolder);
  if (here.length >= events.length) return;
  const text = events.map((event) => `${JSON.stringify(event)}\n`).join("");
  await writing(runFolder, () => makeFolder(runFolder));
  await writeTextWhole(join(runFolder, "events.jsonl"), text);
}

/** The same records; events go to the store, too. */
function told(records: Records, events: EventStore): Records {
  return {
    ...records,
    async append(event) {
      await records.append(event);
      await events.append(event);
    },
    async close() {
      await records.close();
      await events.close();
    },
  };
}
