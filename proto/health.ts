/** The health service alone, plain, on a port of its own: for probes that have no certificate. It says yes or no, and nothing else. */
import { Server } from "@grpc/grpc-js";
import { HealthImplementation } from "grpc-health-check";
import { type Endpoint, hostPort } from "./endpoint.ts";
import { listenPlain } from "./security/port.ts";

export interface HealthPort {
  /** host:port */
  readonly address: string;
  set(serves: "SERVING" | "NOT_SERVING"): void;
  close(): void;
}

/** NOT_SERVING until it is set. Throws `unavailable` where the port cannot be had. */
export async function serveHealth(endpoint: Endpoint): Promise<HealthPort> {
  const health = new HealthImplementation({ "": "NOT_SERVING" });
  const server = new Server({ "grpc.max_receive_message_length": 1_024 });
  health.addToServer(server);
  const { port } = await listenPlain(server, endpoint, "--health");
  return {
    address: hostPort(endpoint.host, port),
    set: (serves) => health.setStatus("", serves),
    close: () => server.forceShutdown(),
  };
}
