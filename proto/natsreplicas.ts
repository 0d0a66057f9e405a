/** How often JetStream keeps a stream: three times where the cluster has three servers, also one that it made with fewer. */

import type { Nats } from "./nats.ts";
import { isOutage } from "./natserrors.ts";

export const mostReplicas = 3;

type Connected = Pick<Nats, "connection">;

/** As the server told. */
export function serversOf({ connection }: Connected): number {
  const { connect_urls: urls = [], cluster } = connection.info ?? {};
  return cluster === undefined ? 1 : new Set(urls).size;
}

/** Of what is made now; three of them where the cluster has as many servers. */
export function replicasAt(nats: Connected): number {
  return serversOf(nats) >= mostReplicas ? mostReplicas : 1;
}

/**
 * A stream that was made while two of three servers had started would end with its one server, for good.
 * @returns why it has fewer than it could; empty where it has not
 * @throws what the client throws where the stream is not there, or no answer comes
 */
export async function raiseReplicas(nats: Connected, stream: string, timeoutMs: number): Promise<string> {
  const manager = await nats.connection.jetstreamManager({ checkAPI: false, timeout: timeoutMs });
  const { config } = await manager.streams.info(stream);
  if (config.num_replicas >= mostReplicas || serversOf(nats) < mostReplicas) return "";
  try {
    await manager.streams.update(stream, { num_replicas: mostReplicas });
    return "";
  } catch (thrown) {
    if (isOutage(thrown)) throw thrown;
    return thrown instanceof Error ? thrown.message : String(thrown);
  }
}
