/**
 * The store on a NATS that need not be there yet: processes are started in any order, and a coordinator has its ports,
 * and says what it waits for, before it can lead.
 */
import { checkCluster } from "../../proto/cluster.ts";
import { connectNats, type NatsOptions } from "../../proto/nats.ts";
import { natsAt } from "../../proto/natssettings.ts";
import type { Store } from "../store.ts";
import { type NatsStoreOptions, openNatsStore } from "./store.ts";

export interface AwaitedStoreOptions extends Omit<NatsStoreOptions, "nats"> {
  readonly nats: NatsOptions;
}

/**
 * Connects when it is first asked to lead; that throws as connectNats does.
 * @throws LimbeckError `usage` for a URL that is none, or a cluster that cannot be called so
 */
export function awaitNatsStore({ nats, ...options }: AwaitedStoreOptions): Store {
  const where = natsAt(nats.urls);
  checkCluster(options.cluster);
  let opened: Store | null = null;
  return {
    where,
    trouble: () => (opened ? opened.trouble() : `${where} has not answered yet`),
    async lead(own, leading) {
      opened ??= openNatsStore({ nats: await connectNats({ ...nats, signal: leading.signal }), ...options });
      return await opened.lead(own, leading);
    },
    close: async () => await opened?.close(),
  };
}
