/** One health port for all workers of a supervisor, whose own ports nobody knows. */
import type { Endpoint } from "../proto/endpoint.ts";
import { type Serves, serveHealth } from "../proto/health.ts";

export interface SharedHealth {
  /** @returns hears whether the worker of that name takes work */
  hear(worker: string): (serves: Serves) => void;
  close(): void;
}

/**
 * SERVING while at least one worker takes work: those that died come back by themselves, and the others are not ended for them.
 * @param endpoint undefined: nobody asks
 * @throws LimbeckError `unavailable` where the port cannot be had
 */
export async function serveSharedHealth(endpoint: Endpoint | undefined): Promise<SharedHealth> {
  const port = endpoint ? await serveHealth(endpoint) : null;
  const serving = new Set<string>();
  return {
    hear: (worker) => (serves) => {
      const before = serving.size;
      if (serves === "SERVING") serving.add(worker);
      else serving.delete(worker);
      // Who watches hears what changes.
      if (before > 0 !== serving.size > 0) port?.set(serves);
    },
    close: () => port?.close(),
  };
}
