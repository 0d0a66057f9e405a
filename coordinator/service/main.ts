/** A coordinator of the service: takes jobs and decides while it leads, stands by and follows while another does. */
import { setTimeout as sleep } from "node:timers/promises";
import { type BackoffPolicy, backoffMs } from "../../core/backoff.ts";
import { asLimbeckError, LimbeckError } from "../../core/errors.ts";
import type { Endpoint } from "../../proto/endpoint.ts";
import { NotLeader } from "../../proto/notleader.ts";
import type { Security } from "../../proto/security/security.ts";
import { steadyNowMs } from "../../proto/steadyclock.ts";
import { serverMetrics } from "../../proto/telemetry/grpcmetrics.ts";
import type { HttpPort } from "../../proto/telemetry/http.ts";
import type { HttpAccess } from "../../proto/telemetry/httpaccess.ts";
import type { Log } from "../../proto/telemetry/log.ts";
import { processRegistry } from "../../proto/telemetry/processmetrics.ts";
import { coordinatorService, jobsService } from "../../proto/wire.ts";
import type { WorkerMessage } from "../messages.ts";
import { type RpcPort, serveRpc } from "../rpc.ts";
import type { Served } from "../status.ts";
import type { LeaderIdentity, Leadership, Store } from "../store.ts";
import { askedJob } from "./asked.ts";
import { serveService } from "./http.ts";
import { jobsHandlers } from "./jobsrpc.ts";
import { createServiceMetrics } from "./metrics.ts";
import { Reign } from "./reign.ts";
import { Results } from "./results.ts";

export interface ServiceOptions {
  /** Of this coordinator, unique in the cluster. */
  readonly name: string;
  /** Jobs' run folders lie in it: where there are several coordinators, one that all of them see. */
  readonly state: string;
  readonly listen: Endpoint;
  /** host:port by which others reach it; that of `listen` where it is not given. */
  readonly advertise?: string;
  readonly http: Endpoint;
  readonly store: Store;
  /** URL of where checkpoints, models and reports go, where workers and coordinators share no folder. */
  readonly depot: string | null;
  /** Code that comes with a job may run on the workers. */
  readonly allowsModules: boolean;
  /** Jobs that may wait, run or be paused at once; 10,000 if not given. */
  readonly mostJobs?: number | undefined;
  /** If not given, all is on loopback. */
  readonly security?: Security;
  /** Who may read the HTTP port; whoever reaches it, if not given. */
  readonly access?: HttpAccess | undefined;
  readonly log: Log;
  /** Unix time in milliseconds; the steady clock's, if not given. */
  readonly now?: () => number;
}

export interface Service {
  /** host:port where workers join and jobs are submitted. */
  readonly address: string;
  readonly httpAddress: string;
  /** Rejects with what it cannot go on with; resolves when it is closed. */
  readonly finished: Promise<void>;
  /** Another may lead at once. Jobs go on. */
  close(why: string): Promise<void>;
}

/** The queue looks at each of them with every decision, and a leader that takes over reads them all. */
const usualMostJobs = 10_000;

/** What a coordinator is at the moment. */
export type Standing =
  | { readonly kind: "standby"; readonly leader: LeaderIdentity | null }
  | { readonly kind: "leading"; readonly reign: Reign; readonly leadership: Leadership };

/** After reigns that were short: where a journal says that a newer leader writes it, and the lease does not, all would be. */
const again: BackoffPolicy = { firstMs: 250, longestMs: 10_000 };

/** Throws `unavailable` where a port is busy. */
export async function startService(options: ServiceOptions): Promise<Service> {
  const { name, state: folder, store, depot, log, allowsModules, security, access, now = steadyNowMs } = options;
  const { mostJobs = usualMostJobs } = options;
  const registry = processRegistry();
  const interceptors = [serverMetrics(registry, [coordinatorService, jobsService])];
  const metrics = createServiceMetrics(registry);
  let standing: Standing = { kind: "standby", leader: null };
  let served: Served = { address: "", paths: [] };
  const closing = new AbortController();

  const refusal = () =>
    standing.kind === "leading" ? null : notLeader(name, standing.leader, standing.leader ? "" : store.trouble());
  const reign = (): Reign => {
    if (standing.kind === "leading") return standing.reign;
    throw refusal();
  };
  const crowd = () => (standing.kind === "leading" ? standing.reign.crowd : null);
  const sessions = {
    heard: (session: number, message: WorkerMessage) => crowd()?.heard(session, message),
    broken: (session: number, why: string) => crowd()?.broken(session, why),
  };
  const results = new Results({ folder, depot });
  const handlers = jobsHandlers({ reign, results, allowsModules, mostJobs, now });
  const rpc: RpcPort = await serveRpc(options.listen, {
    sessions,
    job: (id) => askedJob(reign(), id, { folder, served, results }),
    interceptors,
    more: [{ definition: jobsService, handlers: { ...handlers } }],
    refusal,
    ...(security && { security }),
    fence: () => (standing.kind === "leading" ? standing.leadership.fence : 0),
  });
  const address = options.advertise ?? rpc.address;
  let http: HttpPort;
  try {
    const at = { standing: () => standing, trouble: () => store.trouble(), name, address };
    http = await serveService(options.http, { registry, metrics, ...at, results, access, now });
  } catch (thrown) {
    await rpc.close();
    throw thrown;
  }
  served = { address: http.address, paths: http.paths };
  const own: LeaderIdentity = { name, address, http: http.address };

  /** Leads, until another does or it closes. @returns why it leads no more */
  const lead = async (leadership: Leadership): Promise<string> => {
    let begun: Reign | null = null;
    // Given up at once: all that waits for the lease or the store ends with it, also while NATS is away.
    const end = () => {
      begun?.end("it closes");
      void leadership.resign().catch(() => {});
    };
    closing.signal.addEventListener("abort", end, { once: true });
    try {
      closing.signal.throwIfAborted();
      const trouble = () => store.trouble();
      const parts = { leadership, folder, rpc: () => rpc, served: () => served, depot, metrics, trouble, log, now };
      begun = await Reign.open(parts);
      standing = { kind: "leading", reign: begun, leadership };
      metrics.tookOver();
      log.info({ event: "leading", fence: leadership.fence }, `${name} leads, with fence ${leadership.fence}`);
      return await begun.hold();
    } finally {
      closing.signal.removeEventListener("abort", end);
    }
  };
  /** Stands by, leads, and stands by again. */
  const serve = async (): Promise<void> => {
    let short = 0;
    while (!closing.signal.aborted) {
      const standby = (leader: LeaderIdentity | null) => {
        standing = { kind: "standby", leader };
        log.info({ event: "standby", leader: leader?.name }, standbyText(name, leader));
      };
      const leadership = await store.lead(own, { standby, signal: closing.signal });
      const beganMs = performance.now();
      try {
        const why = await lead(leadership);
        log.info({ event: "not-leading" }, `${name} leads no more: ${why}`);
      } catch (thrown) {
        // It stood still between the lease and the journal, and another took over.
        const { code, message } = asLimbeckError(thrown);
        if (code !== "stale_term") throw thrown;
        log.info({ event: "not-leading" }, `${name} does not lead: ${message}`);
      } finally {
        standing = { kind: "standby", leader: null };
        rpc.dismiss(notLeader(name, null, ""));
        await leadership.resign().catch(() => {}); // Who cannot say so has lost it.
      }
      if (performance.now() - beganMs >= again.longestMs) short = 0;
      else await sleep(backoffMs(again, short++, Math.random()), undefined, { signal: closing.signal });
    }
  };
  const serving = serve().catch((thrown) => {
    if (!closing.signal.aborted) throw thrown;
  });
  const finished = serving.finally(async () => {
    await http.close();
    await rpc.close();
    await results.close();
    await store.close();
  });
  finished.catch(() => {});
  return {
    address: rpc.address,
    httpAddress: http.address,
    finished,
    async close(why) {
      closing.abort(new LimbeckError("stopped", why));
      await finished;
    },
  };
}

/** @param trouble why nobody is known to lead; empty where nobody does */
function notLeader(name: string, leader: LeaderIdentity | null, trouble: string): NotLeader {
  const why = trouble === "" ? "" : `, for ${trouble}`;
  return new NotLeader(leader?.address ?? "", `${standbyText(name, leader)}${why}`);
}

function standbyText(name: string, leader: LeaderIdentity | null): string {
  return `${name} stands by: ${leader ? `${leader.name} at ${leader.address} leads` : "nobody leads now"}`;
}
