/**
 * What jobs leave behind, for who lists, fetches or reads it: in their run folders and, where coordinators and workers
 * share none, in the depot. There a coordinator's own folder has what the job's workers never wrote into it, and of a
 * job that others decided, too, no more than came before them.
 */
import { rm } from "node:fs/promises";
import { unlessAborted } from "../../core/aborted.ts";
import { asLimbeckError, LimbeckError } from "../../core/errors.ts";
import { eventsIn } from "../../core/eventline.ts";
import type { ProgressEvent } from "../../core/events.ts";
import { isOver } from "../../core/jobstate.ts";
import { type Depot, type DepotObject, within } from "../../proto/depot/depot.ts";
import { openDepot } from "../../proto/depot/open.ts";
import { writing } from "../../proto/files.ts";
import type { Artifact } from "../../proto/gen/limbeck/v1/Artifact.ts";
import { lastingJobId } from "../../proto/jobsha256.ts";
import { removeFolder } from "../depot/removal.ts";
import { eventsName } from "../records.ts";
import { inDepot, inFolder, type Place } from "./artifacts.ts";
import { jobFolder } from "./runs.ts";
import type { JobOutcome, QueuedJob } from "./vocabulary.ts";

export interface ResultsParts {
  /** Of the service. */
  readonly folder: string;
  /** URL of the depot; null where all share the folder. */
  readonly depot: string | null;
}

export interface RemovalParts {
  /** All that there are at the moment. */
  readonly jobs: () => Iterable<QueuedJob>;
  /** Rejects where another leads. */
  readonly mayDecide: () => Promise<void>;
  /** L7. Of what lies in the depot. */
  readonly signal: AbortSignal;
}

export interface Listing {
  /** For people. */
  readonly where: string;
  /** In the order of their paths. */
  readonly artifacts: Artifact[];
}

/** L7. For the depot to answer; less where somebody waits for more than files. */
const answerMs = { files: 10_000, events: 3_000 };
/** The last event of whoever saw it end so. */
const lastEvents: Readonly<Record<JobOutcome, ProgressEvent["kind"]>> = {
  done: "job-finished",
  failed: "job-failed",
  cancelled: "job-stopped",
};

export class Results {
  readonly #parts: ResultsParts;
  #depot: Promise<Depot> | null = null;
  /** Of jobs that are over: whether this coordinator's folder has how. */
  readonly #seen = new WeakMap<QueuedJob, Promise<boolean>>();
  readonly #reading = new Map<QueuedJob, Promise<readonly ProgressEvent[]>>();

  constructor(parts: ResultsParts) {
    this.#parts = parts;
  }

  /** No files where the job has not begun. @throws LimbeckError where a place cannot be read */
  async list(job: QueuedJob): Promise<Listing> {
    const places = await this.#placesOf(job);
    const found = new Map<string, Artifact>();
    for (const place of places.toReversed())
      for (const artifact of await answered(place, place.list(), answerMs.files)) found.set(artifact.path!, artifact);
    const artifacts = [...found.values()].sort((one, other) => (one.path! < other.path! ? -1 : 1));
    return { where: places.map(({ where }) => where).join(" and "), artifacts };
  }

  /** @throws LimbeckError `usage` where it is none of those that are listed, else why it cannot be had */
  async open(job: QueuedJob, path: string, withinMs = answerMs.files): Promise<DepotObject> {
    let failure: LimbeckError | null = null;
    for (const place of await this.#placesOf(job)) {
      try {
        const opened = await openedAt(place, path, withinMs);
        if (opened) return opened;
      } catch (thrown) {
        failure ??= asLimbeckError(thrown);
      }
    }
    const none = `${JSON.stringify(path)} is no file of this job: limbeck artifacts lists them`;
    throw failure ?? new LimbeckError("usage", none);
  }

  /**
   * What a job that is over has left, here and in the depot, where it lies there alone. When it is over, nothing of it is
   * under way.
   * @returns what stays, and why, in words; empty where nothing does
   * @throws LimbeckError `unavailable`, `timeout` where not all is gone: to be asked again
   */
  async remove(job: QueuedJob, parts: RemovalParts): Promise<string> {
    const { folder, depot: url } = this.#parts;
    const staying = url === null || job.startedMs === null ? "" : await this.#removeFrom(url, job, parts);
    const own = jobFolder(folder, job.id);
    await parts.mayDecide();
    await writing(own, () => rm(own, { recursive: true, force: true }));
    return staying;
  }

  async #removeFrom(url: string, job: QueuedJob, { jobs, mayDecide, signal }: RemovalParts): Promise<string> {
    const lasting = lastingJobId(job.job, job.name);
    const where = `${url}/${lasting}`;
    const same = sameAs(job, lasting, jobs());
    if (same) return `${where} stays, for ${same.id} is the same job`;
    const mayRemove = async () => {
      await mayDecide();
      // L3. Another may have led meanwhile, and taken it.
      const later = sameAs(job, lasting, jobs());
      if (later)
        throw new LimbeckError("unavailable", `what is left of ${where} stays, for ${later.id} is the same job`);
    };
    try {
      const depot = await unlessAborted(this.#opened(url), signal);
      await removeFolder(depot, lasting, { mayRemove, signal });
      return "";
    } catch (thrown) {
      if (thrown !== signal.reason) throw thrown;
      throw new LimbeckError(
        "timeout",
        `not all of ${where} could be removed in time: the same again removes the rest`,
      );
    }
  }

  /** Of a job that does not run now; none where they cannot be had. However many ask at once, they are read once. */
  events(job: QueuedJob): Promise<readonly ProgressEvent[]> {
    const under = this.#reading.get(job);
    if (under) return under;
    const events = this.#read(job).finally(() => this.#reading.delete(job));
    this.#reading.set(job, events);
    return events;
  }

  async #read(job: QueuedJob): Promise<readonly ProgressEvent[]> {
    const own = eventsAt(this.#ownOf(job));
    const depot = this.#depotOf(job);
    if (depot === null || (await this.#hasLastWord(job, own))) return (await own) ?? [];
    return (await eventsAt(depot)) ?? (await own) ?? [];
  }

  async close(): Promise<void> {
    const depot = await this.#depot?.catch(() => null);
    await depot?.close();
  }

  /** Who has the last word first. */
  async #placesOf(job: QueuedJob): Promise<readonly Place[]> {
    const own = this.#ownOf(job);
    const depot = this.#depotOf(job);
    if (depot === null) return [own];
    return (await this.#hasLastWord(job)) ? [own, depot] : [depot, own];
  }

  #ownOf({ id }: QueuedJob): Place {
    return inFolder(jobFolder(this.#parts.folder, id));
  }

  #depotOf(job: QueuedJob): Place | null {
    const { depot: url } = this.#parts;
    // What the depot has of a job that never ran is of an earlier one, the same under another id.
    if (url === null || job.startedMs === null) return null;
    const folder = lastingJobId(job.job, job.name);
    return inDepot(`${url}/${folder}`, async () => within(await this.#opened(url), folder));
  }

  /** @param own the events of its folder here, where they are being read already */
  async #hasLastWord(job: QueuedJob, own?: ReturnType<typeof eventsAt>): Promise<boolean> {
    const { kind } = job.phase;
    if (!isOver(kind)) return true;
    const known = this.#seen.get(job);
    if (known) return await known;
    const hasSeen = (own ?? eventsAt(this.#ownOf(job))).then((all) => {
      // It may have been but slow.
      if (all === null) this.#seen.delete(job);
      return all?.at(-1)?.kind === lastEvents[kind];
    });
    this.#seen.set(job, hasSeen);
    return await hasSeen;
  }

  #opened(url: string): Promise<Depot> {
    this.#depot ??= openDepot(url, { name: "limbeck, results of jobs" }).catch((thrown) => {
      this.#depot = null;
      throw thrown;
    });
    return this.#depot;
  }
}

/** Another that has, or will have, what it has in the depot; one that never began, and never will, has nothing there. */
function sameAs(job: QueuedJob, lasting: string, jobs: Iterable<QueuedJob>): QueuedJob | undefined {
  const hasFiles = ({ startedMs, phase }: QueuedJob) => startedMs !== null || !isOver(phase.kind);
  const isOther = ({ id, name }: QueuedJob) => id !== job.id && name === job.name;
  return [...jobs].find(
    (other) => isOther(other) && hasFiles(other) && lastingJobId(other.job, other.name) === lasting,
  );
}

/** @throws LimbeckError `corrupt` where it has more than `mostBytes` */
export async function textOf({ pieces }: DepotObject, mostBytes = Number.POSITIVE_INFINITY): Promise<string> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of pieces) {
    bytes += part.length;
    if (bytes > mostBytes) throw new LimbeckError("corrupt", `it has more than ${mostBytes} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString("utf8");
}

/** null where it has none that can be had in time. */
async function eventsAt(place: Place): Promise<readonly ProgressEvent[] | null> {
  const read = async () => {
    const opened = await openedAt(place, eventsName, answerMs.events);
    return opened && eventsIn(await textOf(opened));
  };
  return await answered(place, read(), answerMs.events).catch(() => null);
}

/** It, and each of its pieces in turn, is there within that time, or `timeout` is thrown. @throws also as the place */
async function openedAt(place: Place, path: string, withinMs: number): Promise<DepotObject | null> {
  const opening = place.open(path);
  const opened = await answered(place, opening, withinMs).catch((thrown) => {
    opening.then(left).catch(() => {});
    throw thrown;
  });
  return opened && { ...opened, pieces: inTime(place, opened.pieces, withinMs) };
}

/** One that comes too late holds its file, or its connection, until it has been begun and left. */
async function left(late: DepotObject | null): Promise<void> {
  for await (const _ of late?.pieces ?? []) break;
}

async function* inTime<T>(place: Place, pieces: AsyncIterable<T>, withinMs: number): AsyncGenerator<T> {
  const each = pieces[Symbol.asyncIterator]();
  try {
    for (;;) {
      const { done, value } = await answered(place, each.next(), withinMs);
      if (done) return;
      yield value;
    }
  } finally {
    // Not waited for: one that hangs ends with what it hangs on.
    each.return?.().catch(() => {});
  }
}

/** @throws LimbeckError `timeout` where it takes too long */
async function answered<T>({ where }: Pick<Place, "where">, asked: Promise<T>, withinMs: number): Promise<T> {
  const over = AbortSignal.timeout(withinMs);
  try {
    return await unlessAborted(asked, over);
  } catch (thrown) {
    if (thrown !== over.reason) throw thrown;
    throw new LimbeckError("timeout", `${where} did not answer in ${withinMs / 1_000} s`);
  }
}
