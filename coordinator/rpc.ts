/** The gRPC port of the coordinator: worker sessions, a job's events and status, the order to stop; health and reflection. */
import { once } from "node:events";
import {
  type handleUnaryCall,
  Server,
  type ServerInterceptor,
  type ServerWritableStream,
  type ServiceDefinition,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import { HealthImplementation } from "grpc-health-check";
import type { LimbeckError } from "../core/errors.ts";
import { isDecision, type ProgressEvent } from "../core/events.ts";
import { type Endpoint, hostPort } from "../proto/endpoint.ts";
import type { CoordinatorHandlers } from "../proto/gen/limbeck/v1/Coordinator.ts";
import type { ToWorker } from "../proto/gen/limbeck/v1/ToWorker.ts";
import type { WatchEvent } from "../proto/gen/limbeck/v1/WatchEvent.ts";
import type { WatchRequest__Output } from "../proto/gen/limbeck/v1/WatchRequest.ts";
import { addHealth } from "../proto/health.ts";
import { holdReads } from "../proto/intake/heldreads.ts";
import { addReflection } from "../proto/reflection.ts";
import { loopbackOnly, type Security } from "../proto/security/security.ts";
import { statusOf } from "../proto/status.ts";
import { coordinatorService, serverOptions } from "../proto/wire.ts";
import type { Following } from "./eventlog.ts";
import { hearJoin, type JoinStream } from "./joinstream.ts";
import type { WorkerMessage } from "./messages.ts";
import type { JobStatus } from "./status.ts";

interface Session {
  readonly stream: JoinStream;
  refuse(error: LimbeckError): void;
}

type Watcher = ServerWritableStream<WatchRequest__Output, WatchEvent>;

export interface RpcPort {
  /** host:port */
  readonly address: string;
  send(session: number, message: ToWorker): void;
  refuse(session: number, error: LimbeckError): void;
  /** Refuses all sessions there are. */
  dismiss(error: LimbeckError): void;
  close(): Promise<void>;
}

const goodbyeMs = 2_000;
/** Of what a coordinator is told: shares of an evaluation, and code that comes with a job, are the largest. */
const mostBytes = 8 * 2 ** 20;

/** Who has worker sessions. */
export interface SessionHost {
  heard(session: number, message: WorkerMessage): void;
  broken(session: number, why: string): void;
}

/** What is asked of a job. */
export interface AskedJob {
  /** Its events, each with its number from 1; ends with the job. */
  watch(following: Following): AsyncIterable<readonly [ProgressEvent, number]>;
  status(): JobStatus | Promise<JobStatus>;
  /** In order, with a last checkpoint. Resolves when that is decided. */
  stop(why: string): void | Promise<void>;
}

export interface RpcParts {
  readonly sessions: SessionHost;
  /** By id; empty: the only one there is. Throws where there is none. */
  job(id: string): AskedJob;
  readonly interceptors: readonly ServerInterceptor[];
  /** On the same port. */
  readonly more?: readonly MoreService[];
  /** What every call is refused with, while there is a reason. */
  refusal?(): LimbeckError | null;
  /** Goes along with every message to a worker (ToWorker.fence); 0 where it is not given. */
  fence?(): number;
  /** If not given, all is on loopback. */
  readonly security?: Security;
}

export interface MoreService {
  readonly definition: ServiceDefinition;
  readonly handlers: UntypedServiceImplementation;
}

/** Throws `unavailable` where the port cannot be had, `usage` where it is off loopback without TLS. */
export async function serveRpc(endpoint: Endpoint, parts: RpcParts): Promise<RpcPort> {
  const { sessions: host, job, interceptors, more = [], refusal = () => null, fence = () => 0 } = parts;
  const { security = loopbackOnly } = parts;
  const sessions = new Map<number, Session>();
  let opened = 0;

  const refuse = (session: number, error: LimbeckError) => sessions.get(session)?.refuse(error);

  const join = (stream: JoinStream) => {
    const reason = refusal();
    if (reason) {
      stream.emit("error", statusOf(reason));
      return;
    }
    const session = ++opened;
    const refuse = hearJoin(stream, {
      heard: (message) => host.heard(session, message),
      over(why) {
        sessions.delete(session);
        host.broken(session, why);
      },
    });
    sessions.set(session, { stream, refuse });
  };

  const health = new HealthImplementation({ "": "SERVING" });
  const limits = { ...serverOptions, "grpc.max_receive_message_length": mostBytes };
  const server = new Server({ ...limits, interceptors: [holdReads, ...interceptors, ...security.guards] });
  /** Of an asked job, or what the call is refused with. */
  const asked = (id: string): AskedJob => {
    const reason = refusal();
    if (reason) throw reason;
    return job(id);
  };
  const handlers: CoordinatorHandlers = {
    Join: join,
    Watch: (call) => void watch(call, asked),
    Status: answering(async ({ job: id }) => ({ status: JSON.stringify(await asked(id).status()) })),
    Stop: answering(async ({ job: id, why }) => {
      await asked(id).stop(why || "stopped by request");
      return {};
    }),
  };
  server.addService(coordinatorService, handlers);
  for (const { definition, handlers: theirs } of more) server.addService(definition, theirs);
  addHealth(server, health);
  addReflection(server, [coordinatorService, ...more.map(({ definition }) => definition)]);
  const port = await security.listen(server, endpoint, { partialBytes: 4 * mostBytes });

  return {
    address: hostPort(endpoint.host, port.port),
    send: (session, message) => void sessions.get(session)?.stream.write({ ...message, fence: fence() }),
    refuse,
    dismiss(error) {
      for (const session of [...sessions.keys()]) refuse(session, error);
    },
    async close() {
      health.setStatus("", "NOT_SERVING");
      port.close();
      for (const { stream } of sessions.values()) stream.end();
      const shutdown = new Promise((resolve) => server.tryShutdown(resolve));
      const impatient = setTimeout(() => server.forceShutdown(), goodbyeMs);
      await shutdown;
      clearTimeout(impatient);
    },
  };
}

/** A call with one answer; what is thrown is its status. */
export function answering<Request, Reply>(
  answer: (request: Request) => Reply | Promise<Reply>,
): handleUnaryCall<Request, Reply> {
  return (call, callback) => {
    const answered = async () => answer(call.request);
    answered().then(
      (reply) => callback(null, reply),
      (thrown) => callback(statusOf(thrown)),
    );
  };
}

/** The job's events, but for those the watcher has had, then live where it wants them; ends with the job. */
async function watch(call: Watcher, asked: (job: string) => AskedJob): Promise<void> {
  const gone = new AbortController();
  call.on("cancelled", () => gone.abort());
  const { job, from, decisions, soFar } = call.request;
  const following = { from, soFar, signal: gone.signal, ...(decisions && { only: isDecision }) };
  try {
    for await (const [event, after] of asked(job).watch(following)) {
      const isRoomLeft = call.write({ event: JSON.stringify(event), after });
      if (!isRoomLeft) await once(call, "drain", { signal: gone.signal });
    }
    call.end();
  } catch (thrown) {
    if (!gone.signal.aborted) call.emit("error", statusOf(thrown));
  }
}
