/** A store on a server of the test's, in this process. */
import type { TestContext } from "node:test";
import { type NatsStoreOptions, openNatsStore } from "../../../coordinator/nats/store.ts";
import type { Leadership, Store } from "../../../coordinator/store.ts";
import { connectNats, type Nats } from "../../../proto/nats.ts";
import type { Log } from "../../../proto/telemetry/log.ts";

export const cluster = "test";

export interface OpenedStore {
  readonly nats: Nats;
  readonly store: Store;
  /** What was logged. */
  readonly warnings: readonly string[];
  lead(name?: string): Promise<Leadership>;
}

export async function storeOn(
  t: TestContext,
  urls: readonly string[],
  options: Partial<NatsStoreOptions> = {},
): Promise<OpenedStore> {
  const nats = await connectNats({ urls, name: "test" });
  t.after(() => nats.close());
  const warnings: string[] = [];
  const log = { warn: (_: object, why: string) => void warnings.push(why) } as unknown as Log;
  const store = openNatsStore({ nats, cluster, ttlMs: 1_000, log, ...options });
  const { signal } = new AbortController();
  return {
    nats,
    store,
    warnings,
    lead: (name = "a") => store.lead({ name, address: `${name}:1`, http: `${name}:2` }, { signal, standby: () => {} }),
  };
}
