/** What a worker serves to other workers, on one port: gradients and weights to peers, soft targets to students. */
import { Server, ServerCredentials } from "@grpc/grpc-js";
import { LimbeckError } from "../core/errors.ts";
import { serverOptions } from "../proto/wire.ts";
import { openPeers, type Peers } from "./exchange/peers.ts";
import { SoftTargetServer } from "./softtargets/server.ts";

export interface Services {
  /** host:port */
  readonly address: string;
  /** Equal for workers that share /dev/shm. */
  readonly host: string;
  readonly peers: Peers;
  readonly softTargets: SoftTargetServer;
  close(): void;
}

/**
 * @param advertise the address others are told, where it is not the one it listens on
 * @throws `unavailable` where the port is busy
 */
export async function openServices(
  listen: { host: string; port: number },
  advertise?: { host: string; port: number },
): Promise<Services> {
  const { host, server: peerServer, client } = openPeers((line) => process.stderr.write(`${line}\n`));
  const softTargets = new SoftTargetServer();
  const server = new Server(serverOptions);
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
