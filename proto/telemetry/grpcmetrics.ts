/** Counts and times gRPC calls, by interceptors, in the families `grpc_server_*` and `grpc_client_*` that dashboards for gRPC know. */
import {
  InterceptingCall,
  type Interceptor,
  ServerInterceptingCall,
  type ServerInterceptor,
  type ServiceDefinition,
  status,
} from "@grpc/grpc-js";
import type { Registry } from "prom-client";
import { grpcClientMetrics, grpcServerMetrics } from "../../core/metrics/process.ts";
import { type MetricsOf, register } from "./registry.ts";

type Families = MetricsOf<typeof grpcServerMetrics> | MetricsOf<typeof grpcClientMetrics>;

interface Method {
  readonly path: string;
  readonly requestStream: boolean;
  readonly responseStream: boolean;
}

const codes = Object.values(status).filter((code): code is status => typeof code === "number");

/** A method's series, looked up once: what is counted for each message is an addition. */
class MethodCalls {
  readonly started: { inc(): void };
  readonly received: { inc(): void };
  readonly sent: { inc(): void };
  readonly #handled: ReadonlyMap<status, { inc(by?: number): void }>;
  readonly #duration: { observe(seconds: number): void };

  constructor(families: Families, { path, requestStream, responseStream }: Method) {
    const [grpc_service = "", grpc_method = ""] = path.split("/").slice(1);
    const sides = requestStream ? (responseStream ? "bidi_stream" : "client_stream") : "server_stream";
    const labels = { grpc_service, grpc_method, grpc_type: requestStream || responseStream ? sides : "unary" };
    const zero = <T extends { inc(by: number): void }>(series: T): T => {
      series.inc(0);
      return series;
    };
    this.started = zero(families.started.labels(labels));
    this.received = zero(families.received.labels(labels));
    this.sent = zero(families.sent.labels(labels));
    const withCode = (code: status) => zero(families.handled.labels({ ...labels, grpc_code: nameOf(code) }));
    this.#handled = new Map(codes.map((code) => [code, withCode(code)]));
    families.duration.zero(labels);
    this.#duration = families.duration.labels(labels);
  }

  /** A call begins. @returns to be called with how it ended; only the first time counts */
  begin(): (code: status) => void {
    this.started.inc();
    const startedMs = performance.now();
    let isOver = false;
    return (code) => {
      if (isOver) return;
      isOver = true;
      this.#handled.get(code)?.inc();
      this.#duration.observe((performance.now() - startedMs) / 1_000);
    };
  }
}

/** "DeadlineExceeded", as the families have it. */
function nameOf(code: status): string {
  const words = status[code]!.toLowerCase().split("_");
  return words.map((word) => (word === "ok" ? "OK" : word[0]!.toUpperCase() + word.slice(1))).join("");
}

/** The series of the services' methods, all at zero; those of a method nobody named are made with its first call. */
function callsOf(families: Families, services: readonly ServiceDefinition[]): (method: Method) => MethodCalls {
  const known = new Map<string, MethodCalls>();
  const find = (method: Method) => {
    const calls = known.get(method.path) ?? new MethodCalls(families, method);
    known.set(method.path, calls);
    return calls;
  };
  for (const service of services) for (const method of Object.values(service)) find(method);
  return find;
}

/** For the server that has these services. */
export function serverMetrics(registry: Registry, services: readonly ServiceDefinition[]): ServerInterceptor {
  const find = callsOf(register(registry, grpcServerMetrics), services);
  return (method, call) => {
    const calls = find(method);
    const ended = calls.begin();
    return new ServerInterceptingCall(call, {
      start: (next) =>
        next({
          onReceiveMessage(message, pass) {
            calls.received.inc();
            pass(message);
          },
          onCancel: () => ended(status.CANCELLED),
        }),
      sendMessage(message, pass) {
        calls.sent.inc();
        pass(message);
      },
      sendStatus(end, pass) {
        ended(end.code ?? status.OK);
        pass(end);
      },
    });
  };
}

/** For the clients of these services. */
export function clientMetrics(registry: Registry, services: readonly ServiceDefinition[]): Interceptor {
  const find = callsOf(register(registry, grpcClientMetrics), services);
  return (options, nextCall) => {
    const calls = find(options.method_definition);
    const ended = calls.begin();
    return new InterceptingCall(nextCall(options), {
      start: (metadata, _, next) =>
        next(metadata, {
          onReceiveMessage(message, pass) {
            calls.received.inc();
            pass(message);
          },
          onReceiveStatus(end, pass) {
            ended(end.code);
            pass(end);
          },
        }),
      sendMessage(message, pass) {
        calls.sent.inc();
        pass(message);
      },
    });
  };
}
