/** A job of the service as Watch, Status and Stop ask for it: one that runs, or as its folder has it. */
import { LimbeckError } from "../../core/errors.ts";
import type { ProgressEvent } from "../../core/events.ts";
import { packageVersion } from "../../proto/package.ts";
import type { Following } from "../eventlog.ts";
import { nothingYet, withEvent } from "../latest.ts";
import { usualPatience } from "../patience.ts";
import { readEvents } from "../records.ts";
import type { AskedJob } from "../rpc.ts";
import type { Outcome, Plan } from "../state.ts";
import { type JobStatus, type Served, statusOf } from "../status.ts";
import { jobOf } from "./jobsrpc.ts";
import type { Reign } from "./reign.ts";
import { jobFolder } from "./runs.ts";
import type { QueuedJob } from "./vocabulary.ts";

export interface AskedParts {
  readonly folder: string;
  readonly served: Served;
  readonly reading: Reading;
}

/** Events that are being read, by run folder: however many ask for those of a job that is over, its file is read once. */
export type Reading = Map<string, Promise<readonly ProgressEvent[]>>;

function eventsIn(runFolder: string, reading: Reading): Promise<readonly ProgressEvent[]> {
  const under = reading.get(runFolder);
  if (under) return under;
  const events = readEvents(runFolder).finally(() => reading.delete(runFolder));
  reading.set(runFolder, events);
  return events;
}

/**
 * @param idOrName empty: the only one that is not over
 * @throws LimbeckError `usage` where there is none, or it is not said which
 */
export function askedJob(reign: Reign, idOrName: string, parts: AskedParts): AskedJob {
  const { runs, state } = reign;
  const { id } = idOrName === "" ? theOne([...state.jobs.values()]) : jobOf(reign, idOrName);
  return {
    watch: (following) =>
      watch(reign, id, { ...following, reading: parts.reading, runFolder: jobFolder(parts.folder, id) }),
    status: () => runs.all.get(id)?.status() ?? restingStatus(jobOf(reign, id), parts),
    async stop(why) {
      await reign.ask({ kind: "controlled", job: id, action: "cancel", why }).catch(() => {}); // It is over by then.
    },
  };
}

/** Over all its runs: while it waits in the queue, or is paused, so does who watches. */
async function* watch(
  reign: Reign,
  id: string,
  {
    from = 0,
    runFolder,
    reading,
    ...following
  }: Following & Pick<AskedParts, "reading"> & { readonly runFolder: string },
): AsyncGenerator<readonly [ProgressEvent, number]> {
  const { signal, only = () => true, soFar = false } = following;
  let rested: QueuedJob | undefined;
  for (let had = from; !signal?.aborted; ) {
    const run = reign.runs.all.get(id);
    const job = reign.state.jobs.get(id);
    if (run) {
      for await (const [event, number] of run.log.numbered({ ...following, from: had })) {
        had = number;
        yield [event, number];
      }
      had = Math.max(had, run.log.events.length);
    } else if (!job || job !== rested) {
      // Once for each rest: much is decided while a job waits, and it has nothing to say meanwhile.
      rested = job;
      const events = await eventsIn(runFolder, reading);
      for (const event of events.slice(had)) {
        had += 1;
        if (only(event)) yield [event, had];
      }
    }
    if (soFar || !job || "endedMs" in job.phase) return;
    const isAsBefore = reign.state.jobs.get(id) === job && !reign.runs.all.has(id);
    if (isAsBefore) await reign.changed(signal);
  }
}

function theOne(jobs: readonly QueuedJob[]): QueuedJob {
  const alive = jobs.filter(({ phase }) => !("endedMs" in phase));
  const [only] = alive.length > 0 ? alive : jobs.slice(-1);
  if (only && alive.length <= 1) return only;
  const which = alive.map(({ id }) => id).slice(0, 5);
  const text = only ? `${alive.length} jobs are there (${which.join(", ")}…): say which` : "no job has been submitted";
  throw new LimbeckError("usage", text);
}

async function restingStatus(job: QueuedJob, { folder, served, reading }: AskedParts): Promise<JobStatus> {
  const runFolder = jobFolder(folder, job.id);
  const events = await eventsIn(runFolder, reading);
  const plan: Plan = {
    ...{ id: job.id, job: job.job, sources: [], jobFolder: runFolder, runFolder },
    ...{ build: packageVersion, heartbeatMs: 0, patience: usualPatience, predicted: null },
  };
  const { kind } = job.phase;
  const error = new LimbeckError("stopped", job.why);
  const outcome: Outcome = kind === "failed" ? { kind, error } : { kind: "stopped", why: `${kind}: ${job.why}` };
  const latest = events.reduce(withEvent, nothingYet);
  return statusOf(plan, { kind: "ended", outcome }, { nowMs: 0, latest, http: served });
}
