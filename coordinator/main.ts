/** The coordinator, put together: ports, records, metrics, and the loop between them. */
import { EventEmitter, on } from "node:events";
import { asLimbeckError } from "../core/errors.ts";
import type { ProgressEvent } from "../core/events.ts";
import type { Job } from "../core/job.ts";
import type { Prediction } from "../core/plan/prediction.ts";
import { planStages } from "../core/stages.ts";
import type { Endpoint } from "../proto/endpoint.ts";
import { packageVersion } from "../proto/package.ts";
import { exposition } from "../proto/telemetry/exposition.ts";
import { serverMetrics } from "../proto/telemetry/grpcmetrics.ts";
import type { Log } from "../proto/telemetry/log.ts";
import { processRegistry } from "../proto/telemetry/processmetrics.ts";
import { coordinatorService } from "../proto/wire.ts";
import { logEvent } from "./eventlines.ts";
import { EventLog } from "./eventlog.ts";
import { openJournal } from "./folder/journal.ts";
import { open } from "./gather.ts";
import { serveHttp } from "./http.ts";
import type { JournalRecord } from "./journalrecord.ts";
import { nothingYet, withEvent } from "./latest.ts";
import { createMetrics } from "./metrics.ts";
import { Feed } from "./page/feed.ts";
import { pageFiles } from "./page/files.ts";
import { usualPatience } from "./patience.ts";
import { openRecords } from "./records.ts";
import { replay } from "./replay.ts";
import { serveRpc } from "./rpc.ts";
import { run } from "./run.ts";
import type { Effect, Event, Happening, Outcome, Patience, Plan, State } from "./state.ts";
import { type Served, statusOf } from "./status.ts";

export interface CoordinatorOptions {
  readonly job: Job;
  /** What relative paths in the job start from. */
  readonly jobFolder: string;
  /** Where journal, models, checkpoints and records go; made where it is missing. A journal in it is gone on with. */
  readonly runFolder: string;
  readonly listen: Endpoint;
  readonly http: Endpoint;
  /** The folder holds an earlier part of this job, even where that ended before the first line of its journal. */
  readonly resume?: boolean;
  readonly heartbeatMs?: number;
  readonly patience?: Partial<Patience>;
  readonly log: Log;
  /** For the report. */
  readonly predicted?: Prediction | null;
  /** Unix time in milliseconds. */
  readonly now?: () => number;
}

export interface Coordinator {
  /** host:port where workers join. */
  readonly address: string;
  /** host:port of the live page, /metrics, /targets, /healthz and /state. */
  readonly httpAddress: string;
  /** How the job ended. Never rejects. */
  readonly finished: Promise<Outcome>;
  /** All progress events from the first one on, then live; ends with the job. */
  readonly events: AsyncIterable<ProgressEvent>;
  /** Asks for an orderly stop; `finished` tells when it is done. */
  stop(why: string): void;
  /** Stops the job if it still runs, and gives ports and files back. */
  close(): Promise<void>;
}

const tickMs = 100;

/**
 * Starts to coordinate a job, or goes on with it where the folder holds its journal: whether it is the same job, the
 * caller has made sure. Throws `unavailable` where a port is busy, the folder cannot be written or another coordinator
 * has it, `usage` where it holds a run without a journal.
 */
export async function startCoordinator(options: CoordinatorOptions): Promise<Coordinator> {
  const { job, jobFolder, runFolder, log: decisions, now = Date.now, heartbeatMs = 250 } = options;
  const plan: Plan = {
    job,
    jobFolder,
    runFolder,
    build: packageVersion,
    heartbeatMs,
    patience: { ...usualPatience, ...options.patience },
    predicted: options.predicted ?? null,
  };
  const journal = await openJournal<JournalRecord>(runFolder);
  const isNew = journal.records.length === 0;
  const first = isNew ? open(plan, now()) : replay(plan, journal.records, now());
  let state: State = first[0];
  const happenings = new EventEmitter();
  const events = inOrder(on(happenings, "event") as AsyncIterableIterator<[Event]>);
  const happen = (happening: Happening) => void happenings.emit("event", { ...happening, atMs: now() });

  const records = await orClose(openRecords(runFolder, job, jobFolder, { resume: options.resume ?? !isNew }), journal);
  const log = new EventLog(records.events);
  const stages = planStages(job, 1).map(({ stage }) => stage);
  const registry = processRegistry();
  const metrics = createMetrics(registry, { job, stages, now });
  const interceptors = [serverMetrics(registry, [coordinatorService])];
  let latest = records.events.reduce(withEvent, nothingYet);
  let served: Served = { address: "", paths: [] };
  const status = () => statusOf(plan, state, { nowMs: now(), latest, http: served });
  const rpc = await orClose(serveRpc(options.listen, { log, happen, status, interceptors }), records, journal);
  const page = exposition(registry, () => metrics.refresh(state));
  const feed = new Feed(log, status);
  const live = { ...pageFiles(), "/events": feed.open };
  const http = await orClose(serveHttp(options.http, page, status, live), rpc, records, journal);
  served = { address: http.address, paths: http.paths };
  if (isNew)
    await orClose(journal.append({ kind: "started", atMs: now(), build: plan.build }), http, rpc, records, journal);

  const perform = async (effect: Effect): Promise<void> => {
    switch (effect.kind) {
      case "send":
        return rpc.send(effect.session, effect.message);
      case "refuse":
        return rpc.refuse(effect.session, effect.error);
      case "journal":
        return metrics.journalling(journal.append(effect.record));
      case "measure":
        return metrics.measured(effect.progress, effect.by);
      case "quarantine":
        return records.quarantine({ atMs: now(), worker: effect.worker, ...effect.skipped });
      case "record":
        return records.report(effect.report, log.events);
      case "announce":
        metrics.announced(effect.event);
        logEvent(decisions, effect.event, state);
        latest = withEvent(latest, effect.event);
        // On disk before it is shown: who watched goes on by number with the next life of the coordinator.
        return records.append(effect.event).finally(() => log.append(effect.event));
    }
  };
  const show = (next: State) => {
    state = next;
  };
  const clock = setInterval(() => happen({ kind: "tick" }), tickMs);
  const finished = run(plan, first, { events, now, perform, show })
    .catch((thrown): Outcome => ({ kind: "failed", error: asLimbeckError(thrown) }))
    .then(async (outcome) => {
      clearInterval(clock);
      await records.close().catch(() => {}); // What could not be written has been told.
      await journal.close();
      log.close();
      return outcome;
    });

  return {
    address: rpc.address,
    httpAddress: http.address,
    finished,
    events: { [Symbol.asyncIterator]: () => log.follow() },
    stop: (why) => happen({ kind: "stop", why }),
    async close() {
      happen({ kind: "stop", why: "the coordinator closes" });
      await finished;
      feed.close();
      await http.close();
      await rpc.close();
    },
  };
}

async function* inOrder(emitted: AsyncIterable<[Event]>): AsyncGenerator<Event> {
  for await (const [event] of emitted) yield event;
}

/** Awaits what is being opened; where it cannot be, closes what was opened before it. */
async function orClose<T>(opening: Promise<T>, ...before: { close(): Promise<void> }[]): Promise<T> {
  try {
    return await opening;
  } catch (thrown) {
    for (const each of before) await each.close();
    throw thrown;
  }
}
