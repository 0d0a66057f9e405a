/** Who leads, by the lease in NATS, now and after every change: the other way of finding a coordinator. */
import { setTimeout as sleep } from "node:timers/promises";
import { checkCluster } from "./cluster.ts";
import { followLeader } from "./leader.ts";
import { connectNats, type Nats, type NatsOptions } from "./nats.ts";
import { natsAt } from "./natssettings.ts";
import type { Whereabouts } from "./whereabouts.ts";

const firstReadMs = 2_000;

export interface FollowedLease extends Whereabouts {
  /**
   * Resolves when the lease has been read once, or NATS did not answer that question for a moment. Until then nobody is
   * known. Rejects as connectNats does.
   */
  readonly ready: Promise<void>;
  close(): Promise<void>;
}

/** @throws LimbeckError `usage` for a URL that is none, or a cluster that cannot be called so */
export function leaseWhereabouts(options: NatsOptions, cluster: string): FollowedLease {
  checkCluster(cluster);
  const closing = new AbortController();
  const { signal } = closing;
  const listeners = new Set<(address: string) => void>();
  let address = "";
  /** By one that stands by, before the lease's news came. */
  let named = "";
  let isKnown: () => void = () => {};
  const known = new Promise<void>((resolve) => {
    isKnown = resolve;
  });
  const follow = async (nats: Nats) => {
    for await (const leader of followLeader(nats, cluster, { signal })) {
      isKnown();
      const next = leader?.address ?? "";
      if (next === address) continue;
      address = next;
      named = "";
      if (next !== "") for (const moved of listeners) moved(next);
    }
  };
  const connected = connectNats({ ...options, signal });
  const following = connected.then(follow);
  following.catch(() => {}); // Told by `ready`.
  const ready = connected.then(async () => {
    await Promise.race([known, sleep(firstReadMs, undefined, { signal, ref: false }).catch(() => {})]);
  });
  ready.catch(() => {});
  return {
    where: `the leader of the cluster ${cluster} (${natsAt(options.urls)})`,
    isElected: true,
    isGuessed: false,
    ready,
    address: () => named || address,
    tried(leader) {
      named = leader;
    },
    onMoved(moved) {
      listeners.add(moved);
      return () => void listeners.delete(moved);
    },
    async close() {
      closing.abort();
      await following.catch(() => {});
      await connected.then(
        (nats) => nats.close(),
        () => {},
      );
    },
  };
}
