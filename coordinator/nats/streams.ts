/** The streams of a cluster: made where they are missing; what somebody made otherwise is taken as it is, but for too few replicas. */
import { setTimeout as sleep } from "node:timers/promises";
import { DiscardPolicy, nanos, type StreamConfig } from "nats";
import { eventStream, journalStream, leaseBucket, leaseStream } from "../../proto/cluster.ts";
import type { Nats } from "../../proto/nats.ts";
import { isOutage, jetStreamCode, jetStreamCodes, natsFailure, tooFewServersCodes } from "../../proto/natserrors.ts";
import { mostReplicas, raiseReplicas } from "../../proto/natsreplicas.ts";

type Wanted = Partial<StreamConfig> & Pick<StreamConfig, "name" | "subjects">;

/** As JetStream keeps KV buckets, so that its tools show it as one. */
export function leaseConfig(cluster: string): Wanted {
  return {
    name: leaseStream(cluster),
    subjects: [`$KV.${leaseBucket(cluster)}.>`],
    max_msgs_per_subject: 1,
    discard: DiscardPolicy.New,
    deny_delete: true,
    allow_rollup_hdrs: true,
    allow_direct: true,
  };
}

/** Bounded by compaction and by forgetting jobs, not by age: what is in it is needed. Full, it refuses what is new. */
export function journalConfig(cluster: string): Wanted {
  return {
    name: journalStream(cluster),
    subjects: [`limbeck.${cluster}.journal.>`],
    discard: DiscardPolicy.New,
  };
}

/** What the server must have room for when the first coordinator starts: it is set aside at once. */
export const eventBytes = 256 * 2 ** 20;
const day = 24 * 3_600_000;

/** The oldest go first. Messages per subject: of one kind of one job. */
export function eventConfig(cluster: string): Wanted {
  return {
    name: eventStream(cluster),
    subjects: [`limbeck.${cluster}.events.>`],
    discard: DiscardPolicy.Old,
    max_age: nanos(30 * day),
    max_bytes: eventBytes,
    max_msgs_per_subject: 20_000,
  };
}

export interface EnsureOptions {
  readonly signal: AbortSignal;
  /** Until when a cluster that has too few servers is waited for: `gathered`. */
  readonly gatheredMs: number;
  warn(why: string): void;
}

const requestMs = 5_000;
const retryMs = 500;
/** A cluster whose servers are starting has too few of them for a while. */
const gatherMs = 10_000;

/** When all servers of a cluster that is starting now should be there, by performance.now(). */
export function gathered(): number {
  return performance.now() + gatherMs;
}

/**
 * Waits while NATS is away. Three replicas where the cluster has three servers, also of a stream that is there with fewer.
 * @throws LimbeckError `unavailable` where it cannot be made; the signal's reason
 */
export async function ensureStream(
  nats: Nats,
  wanted: Wanted,
  { signal, gatheredMs, warn }: EnsureOptions,
): Promise<void> {
  const { name } = wanted;
  const manager = await nats.connection.jetstreamManager({ checkAPI: false, timeout: requestMs });
  /** False where there is none. */
  const isThere = async (): Promise<boolean> => {
    try {
      const why = await raiseReplicas(nats, name, requestMs);
      if (why !== "") warn(`${name} has fewer replicas than ${nats.where} has servers, and gets no more: ${why}`);
      return true;
    } catch (thrown) {
      if (jetStreamCode(thrown) === jetStreamCodes.streamNotFound) return false;
      throw thrown;
    }
  };
  let replicas = nats.connection.info?.cluster ? mostReplicas : 1;
  for (;;) {
    await nats.reachable(signal);
    try {
      if (!(await isThere())) await manager.streams.add({ ...wanted, num_replicas: replicas });
      return;
    } catch (thrown) {
      const code = jetStreamCode(thrown);
      // Another contender has made it this moment, or somebody has changed what is there.
      if (code === jetStreamCodes.nameInUse) return;
      const isTooFew = code !== undefined && tooFewServersCodes.has(code) && replicas > 1;
      if (!isTooFew && !isOutage(thrown)) throw natsFailure(thrown, nats.where, `the stream ${name}`);
      if (isTooFew && performance.now() > gatheredMs) {
        const instead = `${name} has one replica, and ends with its server, until a coordinator starts that finds three`;
        warn(`${nats.where} has no three servers with JetStream: ${instead}`);
        replicas = 1;
      }
    }
    await sleep(retryMs, undefined, { signal }).catch(() => signal.throwIfAborted());
  }
}
