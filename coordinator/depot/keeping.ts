/**
 * What the coordinator keeps of a job in the depot, beside checkpoints and models: its journal and events, so that the job
 * can go on where all else is lost, and its report. Nobody waits for it before the job's end; what fails is put again later.
 */
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { unlessAborted } from "../../core/aborted.ts";
import { type BackoffPolicy, backoffMs } from "../../core/backoff.ts";
import { asLimbeckError } from "../../core/errors.ts";
import type { ProgressEvent } from "../../core/events.ts";
import { checkpointsFolder } from "../../core/manifest.ts";
import type { Depot } from "../../proto/depot/depot.ts";
import { exists } from "../../proto/files.ts";
import type { Log } from "../../proto/telemetry/log.ts";
import { journalLine, journalName } from "../folder/journal.ts";
import type { JournalRecord } from "../journalrecord.ts";
import type { Records } from "../records.ts";
import type { Journal } from "../store.ts";
import { removeFolder } from "./removal.ts";

export interface KeptJob {
  readonly journal: Journal<JournalRecord>;
  readonly records: Records;
  readonly runFolder: string;
  readonly log: Log;
  /** Resolves when this process may decide; rejects `stale_term` once another does. */
  readonly mayDecide: () => Promise<void>;
  /** What removes checkpoints that stay in the depot, in words. */
  readonly remedy: string;
}

/** Those that a run folder may have; put anew each time that the job has got somewhere. */
const soFar = ["job.yaml", "events.jsonl", "quarantine.jsonl"];
/** When it is over. The report last: who finds it finds all. */
const atEnd = ["curves.json", "report.html", "report.json"];
/** After these a job would not begin at the same place again. */
const furthering: ReadonlySet<ProgressEvent["kind"]> = new Set(["checkpointed", "stage-finished", "exported"]);
/** Of the time, that events may take to be put: they grow, and are put whole. */
const mostShare = 0.05;
const backoff: BackoffPolicy = { firstMs: 1_000, longestMs: 60_000 };
/** L7. For what is on its way when the job ends. */
const endMs = 30_000;

/**
 * The same journal and records, of which the depot gets copies. Closing the records waits for the last, not forever. A
 * process that leads no more puts nothing: its successor's copies say more.
 */
export function keptIn(
  depot: Depot,
  { journal, records, runFolder, log, mayDecide, remedy }: KeptJob,
): Pick<KeptJob, "journal" | "records"> {
  const lines: JournalRecord[] = [...journal.records];
  const mayPut = (signal: AbortSignal) => unlessAborted(mayDecide(), signal);
  const put = async (names: readonly string[], signal: AbortSignal): Promise<void> => {
    await mayPut(signal);
    const text = lines.map((record) => `${journalLine(record)}\n`).join("");
    await depot.put(journalName, new TextEncoder().encode(text), signal);
    for (const name of names) {
      const file = join(runFolder, name);
      if (!(await exists(file))) continue;
      await mayPut(signal);
      await depot.put(name, { file }, signal);
    }
  };
  /** Most of what a job takes there, and nobody goes on from them: the copy of the journal says so. */
  const removed = async (signal: AbortSignal): Promise<void> => {
    try {
      await removeFolder(depot, checkpointsFolder, { mayRemove: mayDecide, signal });
    } catch (thrown) {
      const { code, message } = asLimbeckError(thrown);
      if (code === "stale_term") throw thrown;
      // All else is there, and nobody tries again after the end.
      const text = `checkpoints of the job, which is done, stay in ${depot.where}: ${message}; ${remedy}`;
      log.warn({ event: "checkpoints-stay" }, text);
    }
  };
  let isDone = records.events.at(-1)?.kind === "job-finished";
  const putLast = async (signal: AbortSignal): Promise<void> => {
    await put([...soFar, ...atEnd], signal);
    if (isDone) await removed(signal);
  };
  const puts = { put: (signal: AbortSignal) => put(soFar, signal), putLast };
  const copies = copying(puts, (why) => log.warn({ event: "depot-away" }, why));
  /** A journal knows of a successor also where the lease does not yet. */
  const fenced = async (write: Promise<void>) => {
    try {
      await write;
    } catch (thrown) {
      if (asLimbeckError(thrown).code === "stale_term") copies.none();
      throw thrown;
    }
  };
  return {
    journal: {
      records: journal.records,
      note: journal.note,
      close: () => journal.close(),
      async compact(records) {
        await fenced(journal.compact(records));
        lines.splice(0, lines.length, ...records);
      },
      async append(record) {
        await fenced(journal.append(record));
        lines.push(record);
      },
    },
    records: {
      events: records.events,
      note: records.note,
      quarantine: (entry) => records.quarantine(entry),
      report: (report, events) => records.report(report, events),
      async append(event) {
        await records.append(event);
        isDone = event.kind === "job-finished";
        if (furthering.has(event.kind)) copies.due();
      },
      async close() {
        await records.close();
        await copies.last();
      },
    },
  };
}

interface Puts {
  put(signal: AbortSignal): Promise<void>;
  /** When the job is over. */
  putLast(signal: AbortSignal): Promise<void>;
}

interface Copies {
  /** Some time soon. */
  due(): void;
  /** Of what there is now, and the report. */
  last(): Promise<void>;
  /** From now on: another process makes them. */
  none(): void;
}

function copying({ put, putLast }: Puts, warn: (why: string) => void): Copies {
  let isDue = false;
  let isAway = false;
  let isAnothers = false;
  let failures = 0;
  let copies: Promise<void> | null = null;
  const over = new AbortController();
  const none = () => {
    isAnothers = true;
    over.abort();
  };
  const attempt = async (work: Puts["put"]) => {
    if (isAnothers) return;
    try {
      await work(AbortSignal.timeout(endMs));
      [failures, isAway] = [0, false];
    } catch (thrown) {
      const { code, message } = asLimbeckError(thrown);
      if (code === "stale_term") return none();
      if (!isAway) warn(`what the coordinator keeps is not in the depot yet, it is put again: ${message}`);
      [failures, isAway, isDue] = [failures + 1, true, true];
    }
  };
  const copy = async () => {
    while (isDue && !over.signal.aborted) {
      isDue = false;
      const startedMs = performance.now();
      await attempt(put);
      const tookMs = performance.now() - startedMs;
      const restMs = failures > 0 ? backoffMs(backoff, failures - 1, Math.random()) : tookMs / mostShare;
      await setTimeout(restMs, undefined, { signal: over.signal }).catch(() => {});
    }
    copies = null;
  };
  return {
    none,
    due() {
      isDue = true;
      copies ??= copy();
    },
    async last() {
      over.abort();
      await copies;
      await attempt(putLast);
    },
  };
}
