/** The store on NATS JetStream: the lease in a KV bucket, journals and events in streams of the cluster. */
import { randomUUID } from "node:crypto";
import { unlessAborted } from "../../core/aborted.ts";
import { checkCluster, eventStream, eventSubject, journalStream, journalSubject } from "../../proto/cluster.ts";
import type { Nats } from "../../proto/nats.ts";
import type { Log } from "../../proto/telemetry/log.ts";
import { silent } from "../../proto/telemetry/log.ts";
import { usualTtlMs } from "../lease.ts";
import { type Leadership, type Store, serviceJournal } from "../store.ts";
import { openNatsEvents } from "./events.ts";
import { forgetJob } from "./forget.ts";
import { openNatsJournal } from "./journal.ts";
import { contend, type NatsLease } from "./lease.ts";
import { lastNow } from "./publish.ts";
import { ensureStream, eventConfig, gathered, journalConfig, leaseConfig } from "./streams.ts";

export interface NatsStoreOptions {
  /** Closed with the store. */
  readonly nats: Nats;
  readonly cluster: string;
  /** How long a leader that is not heard of is waited for. */
  readonly ttlMs?: number;
  readonly log?: Log;
}

/** @throws LimbeckError `usage` where the cluster cannot be called so */
export function openNatsStore(options: NatsStoreOptions): Store {
  const { nats, ttlMs = usualTtlMs, log = silent } = options;
  const cluster = checkCluster(options.cluster);
  const warn = (why: string) => log.warn({}, why);
  let answeredMs = Number.NEGATIVE_INFINITY;
  const answered = () => {
    answeredMs = performance.now();
  };
  return {
    where: nats.where,
    trouble() {
      const ms = performance.now() - answeredMs;
      if (ms <= ttlMs) return "";
      return `${nats.where} has not answered ${Number.isFinite(ms) ? `for ${(ms / 1_000).toFixed(1)} s` : "yet"}`;
    },
    async lead(own, { standby, signal }) {
      const ensure = { signal, warn, gatheredMs: gathered() };
      for (const config of [leaseConfig, journalConfig, eventConfig]) await ensureStream(nats, config(cluster), ensure);
      const writer = randomUUID();
      const ensureBucket = () => ensureStream(nats, leaseConfig(cluster), { ...ensure, gatheredMs: gathered() });
      const service = { stream: journalStream(cluster), subject: journalSubject(cluster, serviceJournal) };
      const highestFence = async (timeoutMs: number) => (await lastNow(nats, service, timeoutMs)).fence;
      const lease = contend(nats, { cluster, own, writer, ttlMs, ensureBucket, highestFence, answered, standby, warn });
      const off = () => void lease.resign();
      signal.addEventListener("abort", off, { once: true });
      try {
        const fence = await unlessAborted(lease.led, signal);
        return leadership({ nats, cluster, lease, fence, warn });
      } finally {
        signal.removeEventListener("abort", off);
      }
    },
    close: () => nats.close(),
  };
}

interface Led {
  readonly nats: Nats;
  readonly cluster: string;
  readonly lease: NatsLease;
  readonly fence: number;
  warn(why: string): void;
}

function leadership({ nats, cluster, lease, fence, warn }: Led): Leadership {
  const { ended: signal, held } = lease;
  const common = { fence, signal, held, warn };
  return {
    fence,
    holds: lease.holds,
    held,
    lost: lease.lost,
    async journal(name, until) {
      const ended = until ? AbortSignal.any([signal, until]) : signal;
      const mayDecide = () => unlessAborted(held(), ended);
      await mayDecide();
      return await openNatsJournal(nats, {
        ...{ ...common, name, signal: ended, held: mayDecide },
        stream: journalStream(cluster),
        subject: journalSubject(cluster, name),
        ensureStream: () => ensureStream(nats, journalConfig(cluster), { signal: ended, warn, gatheredMs: gathered() }),
      });
    },
    events: async (job) => await openNatsEvents(nats, { ...common, cluster, job, stream: eventStream(cluster) }),
    async forget(job) {
      await held();
      const places = [
        { stream: journalStream(cluster), subject: journalSubject(cluster, job) },
        { stream: eventStream(cluster), subject: eventSubject(cluster, job, "*") },
      ];
      await forgetJob(nats, { job, places, signal, confirmed: lease.confirmed, warn });
    },
    resign: lease.resign,
  };
}
