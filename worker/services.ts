/** What a worker serves to other workers, on one port: gradients and weights to peers, soft targets to students. */
import { Server, ServerCredentials } from "@grpc/grpc-js";
import { LimbeckError } from "../core/errors.ts";
import type { Endpoint } from "../proto/endpoint.ts";
import type { Log } from "../proto/telemetry/log.ts";
import { serverOptions } from "../proto/wire.ts";
import { openPeers, type Peers } from "./exchange/peers.ts";
import type { WorkerMetrics } from "./metrics.ts";
import { SoftTargetServer } from "./softtargets/server.ts";

export interface Listening {
  readonly listen: Endpoint;
  /** Where others are told to find it, where that is not where it listens. */
  readonly advertise?: Endpoint;
  readonly metrics: Pick<WorkerMetrics, "interceptors" | "serverInterceptors" | "served" | "passed">;
  readonly log: Log;
}

export interface Services {
  /** host:port */
  readonly address: string;
  /** Equal for workers that share /dev/shm. */
  readonly host: string;
  readonly peers: Peers;
  readonly softTargets: SoftTargetServer;
  close(): void;
}

/** @throws `unavailable` where the port is busy */
export async function openServices({ listen, advertise, metrics, log }: Listening): Promise<Services> {
  const { host, server: peerServer, client } = openPeers((line) => log.warn(line), metrics.interceptors);
  const softTargets = new SoftTargetServer(metrics);
  const server = new Server({ ...serverOptions, interceptors: [...metrics.serverInterceptors] });
  peerServer.addTo(server);
  softTargets.addTo(server);
  const port = await bind(server, listen);
  return {
    address: advertise ? `${advertise.host}:${advertise.port}` : `${listen.host}:${port}`,
    host,
    peers: { server: peerServer, client },
    softTargets,
    close() {
      peerServer.close("the worker leaves");
      client.close();
      server.forceShutdown();
    },
  };
}

function bind(server: Server, { host, port }: { host: string; port: number }): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(`${host}:${port}`, ServerCredentials.createInsecure(), (cause, bound) => {
      if (cause)
        reject(
          new LimbeckError(
            "unavailable",
            `port ${port} on ${host} is busy: choose another with --listen (${cause.message})`,
            { cause },
          ),
        );
      else resolve(bound);
    });
  });
}
