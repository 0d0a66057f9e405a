/** The gRPC service of the coordinator: worker sessions, the event feed, the order to stop. */
import { once } from "node:events";
import {
  logVerbosity,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerInterceptor,
  type ServerWritableStream,
  setLogVerbosity,
} from "@grpc/grpc-js";
import { asLimbeckError, LimbeckError } from "../core/errors.ts";
import { isDecision } from "../core/events.ts";
import { type Endpoint, hostPort, portError } from "../proto/endpoint.ts";
import type { CoordinatorHandlers } from "../proto/gen/limbeck/v1/Coordinator.ts";
import type { FromWorker__Output } from "../proto/gen/limbeck/v1/FromWorker.ts";
import type { ToWorker } from "../proto/gen/limbeck/v1/ToWorker.ts";
import type { WatchEvent } from "../proto/gen/limbeck/v1/WatchEvent.ts";
import type { WatchRequest__Output } from "../proto/gen/limbeck/v1/WatchRequest.ts";
import { statusOf } from "../proto/status.ts";
import { coordinatorService, serverOptions } from "../proto/wire.ts";
import type { EventLog } from "./eventlog.ts";
import { understand } from "./messages.ts";
import type { Happening } from "./state.ts";
import type { JobStatus } from "./status.ts";

type Session = ServerDuplexStream<FromWorker__Output, ToWorker>;
type Watcher = ServerWritableStream<WatchRequest__Output, WatchEvent>;

export interface RpcPort {
  /** host:port */
  readonly address: string;
  send(session: number, message: ToWorker): void;
  refuse(session: number, error: LimbeckError): void;
  close(): Promise<void>;
}

const helloMs = 10_000;
const goodbyeMs = 2_000;

export interface RpcParts {
  readonly log: EventLog;
  /** Called with what the sessions and callers bring. */
  happen(event: Happening): void;
  status(): JobStatus;
  readonly interceptors: readonly ServerInterceptor[];
}

/** Throws `unavailable` where the port cannot be had. */
export async function serveRpc(endpoint: Endpoint, { log, happen, status, interceptors }: RpcParts): Promise<RpcPort> {
  const sessions = new Map<number, Session>();
  let opened = 0;

  const refuse = (session: number, error: LimbeckError) => {
    sessions.get(session)?.emit("error", statusOf(error));
    sessions.delete(session);
  };

  const join = (stream: Session) => {
    const session = ++opened;
    sessions.set(session, stream);
    const silent = () => refuse(session, new LimbeckError("timeout", `no hello came in ${helloMs / 1000} s`));
    const greeting = setTimeout(silent, helloMs);
    let isOver = false;
    const over = (why: string) => {
      if (isOver) return;
      isOver = true;
      clearTimeout(greeting);
      sessions.delete(session);
      happen({ kind: "broken", session, why });
    };
    stream.on("data", (message: FromWorker__Output) => {
      clearTimeout(greeting);
      try {
        happen({ kind: "message", session, message: understand(message) });
      } catch (thrown) {
        const error = asLimbeckError(thrown);
        refuse(session, error);
        over(`it sent what cannot be understood: ${error.message}`);
      }
    });
    const broken = () => over("its session broke off");
    stream.on("end", () => {
      broken();
      stream.end();
    });
    stream.on("cancelled", broken);
    stream.on("error", broken);
  };

  const server = new Server({ ...serverOptions, interceptors: [...interceptors] });
  const handlers: CoordinatorHandlers = {
    Join: join,
    Watch: (call) => void watch(call, log),
    Status: (_call, callback) => callback(null, { status: JSON.stringify(status()) }),
    Stop: (call, callback) => {
      happen({ kind: "stop", why: call.request.why || "stopped by request" });
      callback(null, {});
    },
  };
  server.addService(coordinatorService, handlers);
  const port = await bind(server, endpoint);

  return {
    address: hostPort(endpoint.host, port),
    send: (session, message) => void sessions.get(session)?.write(message),
    refuse,
    async close() {
      for (const stream of sessions.values()) stream.end();
      const shutdown = new Promise((resolve) => server.tryShutdown(resolve));
      const impatient = setTimeout(() => server.forceShutdown(), goodbyeMs);
      await shutdown;
      clearTimeout(impatient);
    },
  };
}

/** The job's events, but for those the watcher has had, then live where it wants them; ends with the job. */
async function watch(call: Watcher, log: EventLog): Promise<void> {
  const gone = new AbortController();
  call.on("cancelled", () => gone.abort());
  const { from, decisions, soFar } = call.request;
  const following = { from, soFar, signal: gone.signal, ...(decisions && { only: isDecision }) };
  try {
    for await (const [event, after] of log.numbered(following)) {
      const isRoomLeft = call.write({ event: JSON.stringify(event), after });
      if (!isRoomLeft) await once(call, "drain", { signal: gone.signal });
    }
    call.end();
  } catch (thrown) {
    if (!gone.signal.aborted) call.emit("error", statusOf(thrown));
  }
}

function bind(server: Server, endpoint: Endpoint): Promise<number> {
  const { host, port } = endpoint;
  setLogVerbosity(logVerbosity.NONE); // What grpc-js would print of a busy port is in the error, too.
  return new Promise((resolve, reject) => {
    server.bindAsync(hostPort(host, port), ServerCredentials.createInsecure(), (cause, bound) => {
      if (cause) reject(portError(endpoint, "--listen", cause));
      else resolve(bound);
    });
  });
}
