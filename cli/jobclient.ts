/** A running coordinator, as the commands meet that ask it something. */
import type { JobStatus } from "../coordinator/status.ts";
import { LimbeckError } from "../core/errors.ts";
import { type CoordinatorClient, connectCoordinator } from "../proto/clients.ts";
import { type Endpoint, hostPort } from "../proto/endpoint.ts";

export interface Addressed {
  readonly coordinator: Endpoint;
}

/** Calls with a client of the coordinator, and closes it. Throws `unavailable`, with what to do, where none answers. */
export async function withCoordinator<T>(
  { coordinator }: Addressed,
  ask: (client: CoordinatorClient) => Promise<T>,
): Promise<T> {
  const address = hostPort(coordinator.host, coordinator.port);
  const client = connectCoordinator(address);
  try {
    return await ask(client);
  } catch (thrown) {
    if (!(thrown instanceof LimbeckError) || (thrown.code !== "unavailable" && thrown.code !== "timeout")) throw thrown;
    const message = `no coordinator answers at ${address}; name one with --coordinator HOST:PORT or LIMBECK_COORDINATOR`;
    throw new LimbeckError(thrown.code, message, { cause: thrown });
  } finally {
    client.close();
  }
}

/** @param by how it was reached: a coordinator that serves pages on all addresses has them there, too */
export async function askStatus(client: CoordinatorClient, { coordinator }: Addressed): Promise<JobStatus> {
  const status = JSON.parse(await client.status()) as JobStatus;
  const [, port] = /^(?:0\.0\.0\.0|\[::\]):(\d+)$/.exec(status.http.address) ?? [];
  if (port === undefined) return status;
  return { ...status, http: { ...status.http, address: hostPort(coordinator.host, Number(port)) } };
}
