/** What a worker serves to other workers, on one port: gradients and weights to peers, soft targets to students. */
import { Server } from "@grpc/grpc-js";
import { type Endpoint, hostPort } from "../proto/endpoint.ts";
import { holdReads } from "../proto/intake/heldreads.ts";
import { loopbackOnly, type Security } from "../proto/security/security.ts";
import type { Log } from "../proto/telemetry/log.ts";
import { type Calling, serverOptions } from "../proto/wire.ts";
import { openPeers, type Peers } from "./exchange/peers.ts";
import type { WorkerMetrics } from "./metrics.ts";
import { SoftTargetServer } from "./softtargets/server.ts";

export interface Listening {
  readonly listen: Endpoint;
  /** Where others are told to find it, where that is not where it listens. */
  readonly advertise?: Endpoint;
  readonly metrics: Pick<WorkerMetrics, "interceptors" | "serverInterceptors" | "served" | "passed">;
  readonly log: Log;
  /** If not given, all is on loopback. */
  readonly security?: Security;
}

export interface Services {
  /** host:port */
  readonly address: string;
  /** Equal for workers that share /dev/shm. */
  readonly host: string;
  readonly peers: Peers;
  readonly softTargets: SoftTargetServer;
  /** How other workers are called. */
  readonly calling: Calling;
  close(): void;
}

/** @throws `unavailable` where the port is busy, `usage` where it is off loopback without TLS */
export async function openServices(listening: Listening): Promise<Services> {
  const { listen, advertise, metrics, log, security = loopbackOnly } = listening;
  const calling = { interceptors: metrics.interceptors, security };
  const { host, server: peerServer, client } = openPeers((line) => log.warn(line), calling);
  const softTargets = new SoftTargetServer(metrics);
  const server = new Server({
    ...serverOptions,
    interceptors: [holdReads, ...metrics.serverInterceptors, ...security.guards],
  });
  peerServer.addTo(server);
  softTargets.addTo(server);
  const port = await security.listen(server, listen);
  return {
    address: advertise ? hostPort(advertise.host, advertise.port) : hostPort(listen.host, port.port),
    host,
    peers: { server: peerServer, client },
    softTargets,
    calling,
    close() {
      port.close();
      peerServer.close("the worker leaves");
      client.close();
      server.forceShutdown();
    },
  };
}
