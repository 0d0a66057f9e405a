/** The wire, loaded from limbeck.proto: services, clients and the options every connection has. */
import {
  type ChannelOptions,
  Client,
  type Interceptor,
  loadPackageDefinition,
  type MethodDefinition,
  type ServiceDefinition,
} from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import type { CoordinatorClient } from "./gen/limbeck/v1/Coordinator.ts";
import type { JobsClient } from "./gen/limbeck/v1/Jobs.ts";
import type { PullHeader, PullHeader__Output } from "./gen/limbeck/v1/PullHeader.ts";
import type { PullRequest, PullRequest__Output } from "./gen/limbeck/v1/PullRequest.ts";
import type { TeacherClient } from "./gen/limbeck/v1/Teacher.ts";
import type { ToWorker } from "./gen/limbeck/v1/ToWorker.ts";
import type { ProtoGrpcType } from "./gen/limbeck.ts";
import { Parts } from "./intake/parts.ts";
import { packagePath } from "./package.ts";
import type { Called } from "./security/dialing.ts";
import { loopbackOnly, type Security } from "./security/security.ts";

const mebibyte = 2 ** 20;
/** The largest message that is sent or taken. */
export const messageBytes = 64 * mebibyte;

// The generated types describe exactly these options: proto/generate.mjs has them too.
export const loading = { longs: Number, enums: String, defaults: true, oneofs: true } as const;

/** All services and messages, for who asks the server what it speaks. */
export const wireDefinition = loadSync(packagePath("proto/limbeck.proto"), loading);

const { v1 } = (loadPackageDefinition(wireDefinition) as unknown as ProtoGrpcType).limbeck;

const limits: ChannelOptions = {
  "grpc.max_receive_message_length": messageBytes,
  "grpc.max_send_message_length": messageBytes,
};

/** A network that swallows packets, and a process that is stopped, break no TCP connection by themselves: pings find it (L7). */
export interface Pings {
  readonly everyMs: number;
  readonly answerMs: number;
}

export const usualPings: Pings = { everyMs: 10_000, answerMs: 5_000 };

function pinging({ everyMs, answerMs }: Pings): ChannelOptions {
  return { "grpc.keepalive_time_ms": everyMs, "grpc.keepalive_timeout_ms": answerMs };
}

/**
 * For every server. Its receive window stays at Node's 64 KiB, which is why large payloads are pulled. A connection is one
 * process, which has a few calls at once; what all connections together may have is in intake/.
 */
export const serverOptions: ChannelOptions = {
  ...limits,
  ...pinging(usualPings),
  "grpc.max_concurrent_streams": 128,
};

/** For every client. */
export const channelOptions: ChannelOptions = {
  ...limits,
  ...pinging(usualPings),
  "grpc-node.flow_control_window": 8 * mebibyte,
  "grpc.initial_reconnect_backoff_ms": 100,
  "grpc.max_reconnect_backoff_ms": 1_000,
  // Whoever comes back at its old address is not kept waiting by the backoff of an earlier channel.
  "grpc.use_local_subchannel_pool": 1,
  // Retries live with those who know what a failure means for the term, and peers are not behind a web proxy.
  "grpc.enable_retries": 0,
  "grpc.enable_http_proxy": 0,
};

const parts = new Parts(wireDefinition);

/** What is asked is counted before it is decoded. */
function counted<S>(service: S): S {
  const methods = Object.entries(service as unknown as ServiceDefinition).map(([name, method]) => {
    const { requestDeserialize, requestType } = method as typeof method & Requested;
    const decode = (bytes: Buffer) => {
      parts.check(requestType.type.name, bytes);
      return requestDeserialize(bytes);
    };
    return [name, { ...method, requestDeserialize: decode }];
  });
  return Object.fromEntries(methods) as unknown as S;
}

/** As proto-loader makes it, beside what grpc-js promises. */
interface Requested {
  readonly requestType: { readonly type: { readonly name: string } };
}

const coordinating = counted(v1.Coordinator.service);
const join = coordinating.Join;

/** By what it says: an order to all members of a term, as it was encoded for the first of them. */
const encodedOrders = new WeakMap<
  object,
  { readonly term: unknown; readonly fence: unknown; readonly bytes: Buffer }
>();

/** What all members are told names all of them: encoded for each, a term of a thousand would take seconds to open. */
function encodeToWorker(message: ToWorker): Buffer {
  const { term, fence, assign, begin, teachers } = message;
  const order = assign ?? begin ?? teachers;
  if (!order) return join.responseSerialize(message);
  const before = encodedOrders.get(order);
  if (before && before.term === term && before.fence === fence) return before.bytes;
  const bytes = join.responseSerialize(message);
  encodedOrders.set(order, { term, fence, bytes });
  return bytes;
}

export const coordinatorService = {
  ...coordinating,
  Join: { ...join, responseSerialize: encodeToWorker },
};
export const jobsService = counted(v1.Jobs.service);
export const teacherService = counted(v1.Teacher.service);

/** What every call of a client goes through: it is counted there. */
export type Interceptors = readonly Interceptor[];

/** How a server is called. */
export interface Calling {
  readonly interceptors?: Interceptors;
  /** If not given, only what is on loopback is called. */
  readonly security?: Security;
  /** The usual, if not given. */
  readonly pings?: Pings;
}

/** @param address host:port */
export function coordinatorClient(address: string, calling: Calling = {}): CoordinatorClient {
  return new v1.Coordinator(...dialed("coordinator", address, calling));
}

/** Of a service. @param address host:port */
export function jobsClient(address: string, calling: Calling = {}): JobsClient {
  return new v1.Jobs(...dialed("coordinator", address, calling));
}

/** @param address host:port */
export function teacherClient(address: string, calling: Calling = {}): TeacherClient {
  return new v1.Teacher(...dialed("worker", address, calling));
}

/** A channel to the Peer service, for rawPull. @param address host:port */
export function peerChannel(address: string, calling: Calling = {}): Client {
  return new Client(...dialed("worker", address, calling));
}

function dialed(
  whom: Called,
  address: string,
  { interceptors = [], security = loopbackOnly, pings = usualPings }: Calling,
) {
  const { credentials, options } = security.dial(whom, address);
  const through = [...interceptors, ...security.senders(address)];
  return [address, credentials, { ...channelOptions, ...pinging(pings), ...options, interceptors: through }] as const;
}

const pull = counted(v1.Peer.service).Pull;

/** Peer.Pull with messages as they are: a protobuf copy of every chunk would halve the throughput. */
export const rawPull: MethodDefinition<PullRequest, Uint8Array> & {
  requestDeserialize(bytes: Buffer): PullRequest__Output;
  responseDeserialize(bytes: Buffer): Buffer;
} = {
  path: pull.path,
  requestStream: true,
  responseStream: true,
  requestSerialize: pull.requestSerialize,
  requestDeserialize: pull.requestDeserialize,
  // No copy: grpc-js copies the view into its frame as soon as the message is its turn.
  responseSerialize: (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength),
  responseDeserialize: (bytes: Buffer) => bytes,
};

export const peerService = { pull: rawPull };

/** The first message of a pull. */
export function encodePullHeader(header: PullHeader): Buffer {
  return pull.responseSerialize(header);
}

export function decodePullHeader(bytes: Buffer): PullHeader__Output {
  return pull.responseDeserialize(bytes);
}
