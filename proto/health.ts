/** The health service alone, plain, on a port of its own: for probes that have no certificate. It says yes or no, and nothing else. */
import { Server, type ServerWritableStream, status, type UntypedServiceImplementation } from "@grpc/grpc-js";
import { HealthImplementation, service } from "grpc-health-check";
import { type Endpoint, hostPort } from "./endpoint.ts";
import { listenPlain } from "./security/port.ts";

export type Serves = "SERVING" | "NOT_SERVING";

export interface HealthPort {
  /** host:port */
  readonly address: string;
  set(serves: Serves): void;
  close(): void;
}

/** NOT_SERVING until it is set. Throws `unavailable` where the port cannot be had. */
export async function serveHealth(endpoint: Endpoint): Promise<HealthPort> {
  const health = new HealthImplementation({ "": "NOT_SERVING" });
  const server = new Server({ "grpc.max_receive_message_length": 1_024 });
  addHealth(server, health);
  const port = await listenPlain(server, endpoint, { flag: "--health" });
  return {
    address: hostPort(endpoint.host, port.port),
    set: (serves) => health.setStatus("", serves),
    close: () => server.forceShutdown(),
  };
}

/** The health of the process, which has no name: of any other service grpc-health-check would keep what was asked for ever. */
export function addHealth(server: Pick<Server, "addService">, health: HealthImplementation): void {
  const addService = (_: unknown, { check, watch, ...handlers }: UntypedServiceImplementation) => {
    const unknown = {
      code: status.NOT_FOUND,
      details: "the health of this process has no name, and it knows no other",
    };
    server.addService(service, {
      ...handlers,
      check: (call: Asked, answer: (error: object) => void) =>
        call.request.service === "" ? (check as Handler)(call, answer) : answer(unknown),
      watch: (call: Asked & ServerWritableStream<unknown, { status: string }>) =>
        call.request.service === "" ? (watch as Handler)(call) : void call.write({ status: "SERVICE_UNKNOWN" }),
    });
  };
  health.addToServer({ addService } as unknown as Server);
}

type Handler = (...args: readonly unknown[]) => void;

interface Asked {
  readonly request: { readonly service: string };
}
