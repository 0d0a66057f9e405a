/** Who leads, by the lease in NATS, now and after every change: the other way of finding a coordinator. */
import { checkCluster } from "./cluster.ts";
import { followLeader } from "./leader.ts";
import { connectNats, type NatsOptions } from "./nats.ts";
import type { Whereabouts } from "./whereabouts.ts";

const firstReadMs = 2_000;

export interface FollowedLease extends Whereabouts {
  close(): Promise<void>;
}

/**
 * Resolves when the lease has been read once, or NATS did not answer that question for a moment.
 * @throws as connectNats; `usage` for a cluster that cannot be called so
 */
export async function leaseWhereabouts(options: NatsOptions, cluster: string): Promise<FollowedLease> {
  checkCluster(cluster);
  const nats = await connectNats(options);
  const closing = new AbortController();
  const listeners = new Set<(address: string) => void>();
  let address = "";
  /** By one that stands by, before the lease's news came. */
  let named = "";
  let isKnown: () => void = () => {};
  const known = new Promise<void>((resolve) => {
    isKnown = resolve;
  });
  const following = (async () => {
    for await (const leader of followLeader(nats, cluster, { signal: closing.signal })) {
      isKnown();
      const next = leader?.address ?? "";
      if (next === address) continue;
      address = next;
      named = "";
      if (next !== "") for (const moved of listeners) moved(next);
    }
  })();
  const late = setTimeout(isKnown, firstReadMs);
  await known;
  clearTimeout(late);
  return {
    where: `the leader of the cluster ${cluster} (${nats.where})`,
    isElected: true,
    isGuessed: false,
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
      await following;
      await nats.close();
    },
  };
}
