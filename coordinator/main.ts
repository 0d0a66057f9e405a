/** The coordinator of one job, put together: ports, records, and the job's life. */
import type { ProgressEvent } from "../core/events.ts";
import type { Job } from "../core/job.ts";
import type { Prediction } from "../core/plan/prediction.ts";
import type { Depot } from "../proto/depot/depot.ts";
import type { Endpoint } from "../proto/endpoint.ts";
import { packageVersion } from "../proto/package.ts";
import type { Security } from "../proto/security/security.ts";
import { steadyNowMs } from "../proto/steadyclock.ts";
import { exposition } from "../proto/telemetry/exposition.ts";
import { serverMetrics } from "../proto/telemetry/grpcmetrics.ts";
import type { HttpAccess } from "../proto/telemetry/httpaccess.ts";
import type { Log } from "../proto/telemetry/log.ts";
import { processRegistry } from "../proto/telemetry/processmetrics.ts";
import { coordinatorService } from "../proto/wire.ts";
import { keptIn } from "./depot/keeping.ts";
import type { Following } from "./eventlog.ts";
import { openJournal } from "./folder/journal.ts";
import { serveHttp } from "./http.ts";
import { openJobRun, type Parting } from "./jobrun.ts";
import type { JournalRecord } from "./journalrecord.ts";
import type { WorkerMessage } from "./messages.ts";
import { pageFiles } from "./page/files.ts";
import { depotPatience, type Patience, usualPatience } from "./patience.ts";
import { openRecords } from "./records.ts";
import { type RpcPort, serveRpc } from "./rpc.ts";
import type { DepotPlace, Plan } from "./state.ts";
import type { Served } from "./status.ts";

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
  /** Where checkpoints, models and report go when workers do not share the run folder. */
  readonly depot?: CoordinatorDepot;
  /** If not given, all is on loopback. */
  readonly security?: Security;
  /** Who may read the HTTP port; whoever reaches it, if not given. */
  readonly access?: HttpAccess | undefined;
  readonly heartbeatMs?: number;
  readonly patience?: Partial<Patience>;
  readonly log: Log;
  /** For the report. */
  readonly predicted?: Prediction | null;
  /** Unix time in milliseconds; the steady clock's, if not given. */
  readonly now?: () => number;
}

export interface CoordinatorDepot extends DepotPlace {
  /** The job's folder, opened; it stays the caller's. */
  readonly depot: Depot;
}

export interface Coordinator {
  /** host:port where workers join. */
  readonly address: string;
  /** host:port of the live page, /metrics, /targets, /healthz, /readyz and /state. */
  readonly httpAddress: string;
  /** How the job ended, or that this process decides no more about it. Never rejects. */
  readonly finished: Promise<Parting>;
  /** All progress events from the first one on, then live; ends with the job. */
  readonly events: AsyncIterable<ProgressEvent>;
  /** Asks for an orderly stop; `finished` tells when it is done. */
  stop(why: string): void;
  /** The same, where another process goes on with the job: its workers are told to join that. */
  leave(why: string): void;
  /** Stops the job if it still runs, and gives ports and files back. */
  close(): Promise<void>;
}

/**
 * Starts to coordinate a job, or goes on with it where the folder holds its journal: whether it is the same job, the
 * caller has made sure. Throws `unavailable` where a port is busy, the folder cannot be written or another coordinator
 * has it, `usage` where it holds a run without a journal.
 */
export async function startCoordinator(options: CoordinatorOptions): Promise<Coordinator> {
  const { job, jobFolder, runFolder, log: decisions, now = steadyNowMs, heartbeatMs = 250, security } = options;
  const plan: Plan = {
    job,
    id: "",
    sources: [],
    jobFolder,
    runFolder,
    ...(options.depot && { depot: options.depot }),
    build: packageVersion,
    heartbeatMs,
    patience: { ...usualPatience, ...(options.depot && depotPatience), ...options.patience },
    predicted: options.predicted ?? null,
  };
  const waits = (why: string) => decisions.info({ event: "waiting" }, why);
  const own = await openJournal<JournalRecord>(runFolder, waits);
  const resume = options.resume ?? own.records.length > 0;
  const opened = await orClose(openRecords(runFolder, job, jobFolder, { resume }), own);
  const parts = { journal: own, records: opened, runFolder };
  const keeping = { ...parts, log: decisions, mayDecide: own.held, remedy: "remove them by hand" };
  const { journal, records } = options.depot ? keptIn(options.depot.depot, keeping) : parts;
  const registry = processRegistry();
  let served: Served = { address: "", paths: [] };
  let rpc: RpcPort | null = null;
  const running = openJobRun({
    plan,
    journal,
    records,
    registry,
    wire: {
      send: (session, message) => rpc?.send(session, message),
      refuse: (session, error) => rpc?.refuse(session, error),
    },
    served: () => served,
    mayDecide: own.held,
    log: decisions,
    now,
  });
  const { log, feed, happen, status } = running;
  const stop = (why: string) => happen({ kind: "stop", why });
  const interceptors = [serverMetrics(registry, [coordinatorService])];
  const sessions = {
    heard: (session: number, message: WorkerMessage) => happen({ kind: "message", session, message }),
    broken: (session: number, why: string) => happen({ kind: "broken", session, why }),
  };
  const asked = { watch: (following: Following) => log.numbered(following), status, stop };
  const opening = serveRpc(options.listen, { sessions, job: () => asked, interceptors, ...(security && { security }) });
  rpc = await orClose(opening, opened, own);
  const metrics = exposition(registry, () => running.refreshMetrics());
  const mayDecide = () => (own.holds() ? "" : "it decides nothing: another process may have its journal");
  const trouble = () => running.trouble() || mayDecide();
  const live = { ...pageFiles(), "/events": feed.open };
  const http = await orClose(
    serveHttp(options.http, { metrics, status, trouble }, { handlers: live, access: options.access }),
    rpc,
    opened,
    own,
  );
  served = { address: http.address, paths: http.paths };
  const finished = running.begin();

  return {
    address: rpc.address,
    httpAddress: http.address,
    finished,
    events: { [Symbol.asyncIterator]: () => log.follow() },
    stop,
    leave: (why) => happen({ kind: "stop", why, again: true }),
    async close() {
      stop("the coordinator closes");
      await finished;
      feed.close();
      await http.close();
      await rpc.close();
    },
  };
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
