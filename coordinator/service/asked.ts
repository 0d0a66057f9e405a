/** A job of the service as Watch, Status and Stop ask for it: one that runs, or as its folder has it. */
import { asLimbeckError, LimbeckError } from "../../core/errors.ts";
import type { ProgressEvent } from "../../core/events.ts";
import { NotLeader } from "../../proto/notleader.ts";
import { packageVersion } from "../../proto/package.ts";
import type { Following } from "../eventlog.ts";
import { nothingYet, withEvent } from "../latest.ts";
import { usualPatience } from "../patience.ts";
import type { AskedJob } from "../rpc.ts";
import type { Outcome, Plan } from "../state.ts";
import { type JobStatus, type Served, statusOf } from "../status.ts";
import { jobOf } from "./jobsrpc.ts";
import type { Reign } from "./reign.ts";
import type { Results } from "./results.ts";
import { jobFolder } from "./runs.ts";
import type { QueuedJob } from "./vocabulary.ts";

export interface AskedParts {
  readonly folder: string;
  readonly served: Served;
  readonly results: Results;
}

/**
 * @param idOrName empty: the only one that is not over
 * @throws LimbeckError `usage` where there is none, or it is not said which
 */
export function askedJob(reign: Reign, idOrName: string, parts: AskedParts): AskedJob {
  const { runs, state } = reign;
  const { id } = idOrName === "" ? theOne([...state.jobs.values()]) : jobOf(reign, idOrName);
  return {
    watch: (following) => watch(reign, id, { ...following, results: parts.results }),
    status: () => {
      const run = runs.all.get(id);
      if (run) return run.status();
      const job = jobOf(reign, id);
      return restingStatus(job, runs.whyOf(job), parts);
    },
    async stop(why) {
      try {
        await reign.ask({ kind: "controlled", job: id, action: "cancel", why });
      } catch (thrown) {
        if (asLimbeckError(thrown).code !== "usage") throw thrown; // It was over by then.
      }
    },
  };
}

/**
 * Over all its runs: while it waits in the queue, or is paused, so does who watches.
 * @throws NotLeader where another process decides before the job is over: it goes on there
 */
async function* watch(
  reign: Reign,
  id: string,
  { from = 0, results, ...following }: Following & { readonly results: Results },
): AsyncGenerator<readonly [ProgressEvent, number]> {
  const { signal: gone, only = () => true, soFar = false } = following;
  const signal = AbortSignal.any(gone ? [gone, reign.ended] : [reign.ended]);
  let rested: QueuedJob | undefined;
  for (let had = from; !signal.aborted; ) {
    const run = reign.runs.all.get(id);
    const job = reign.state.jobs.get(id);
    if (run) {
      for await (const [event, number] of run.log.numbered({ ...following, signal, from: had })) {
        had = number;
        yield [event, number];
      }
      had = Math.max(had, run.log.events.length);
    } else if (!job || job !== rested) {
      // Once for each rest: much is decided while a job waits, and it has nothing to say meanwhile.
      rested = job;
      const events = job ? await results.events(job) : [];
      for (const event of events.slice(had)) {
        had += 1;
        if (only(event)) yield [event, had];
      }
    }
    if (soFar || !job || "endedMs" in job.phase) return;
    const isAsBefore = reign.state.jobs.get(id) === job && !reign.runs.all.has(id);
    if (isAsBefore) await reign.changed(signal);
  }
  // L7. A coordinator that was only replaced answers whoever looks whether it lives.
  if (!gone?.aborted) throw new NotLeader("", `another decides about ${id} now; ask again`);
}

function theOne(jobs: readonly QueuedJob[]): QueuedJob {
  const alive = jobs.filter(({ phase }) => !("endedMs" in phase));
  const [only] = alive.length > 0 ? alive : jobs.slice(-1);
  if (only && alive.length <= 1) return only;
  const which = alive.map(({ id }) => id).slice(0, 5);
  const text = only ? `${alive.length} jobs are there (${which.join(", ")}…): say which` : "no job has been submitted";
  throw new LimbeckError("usage", text);
}

async function restingStatus(job: QueuedJob, why: string, { folder, served, results }: AskedParts): Promise<JobStatus> {
  const runFolder = jobFolder(folder, job.id);
  const events = await results.events(job);
  const plan: Plan = {
    ...{ id: job.id, job: job.job, sources: [], jobFolder: runFolder, runFolder },
    ...{ build: packageVersion, heartbeatMs: 0, patience: usualPatience, predicted: null },
  };
  const { kind } = job.phase;
  const error = new LimbeckError("stopped", why);
  const outcome: Outcome = kind === "failed" ? { kind, error } : { kind: "stopped", why: `${kind}: ${why}` };
  const latest = events.reduce(withEvent, nothingYet);
  return statusOf(plan, { kind: "ended", outcome }, { nowMs: 0, latest, http: served });
}
