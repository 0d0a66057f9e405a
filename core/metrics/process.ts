/** What every process has: its build, and its gRPC calls in the families that dashboards for gRPC know. */
import { type Labels, type MetricDefinition, secondsBuckets } from "./definition.ts";

const call = {
  grpc_service: "the services of limbeck.proto",
  grpc_method: "their methods",
  grpc_type: ["unary", "server_stream", "client_stream", "bidi_stream"],
} as const;
const ended = { ...call, grpc_code: "the 17 codes of gRPC" } as const;

function family<const L extends Labels>(name: string, help: string, labels: L) {
  return { type: "counter", name, help, labels } as const satisfies MetricDefinition<L>;
}

function duration<const N extends string>(name: N, help: string) {
  return { type: "histogram", name, help, labels: call, buckets: secondsBuckets } as const;
}

export const buildMetrics = {
  build: {
    type: "gauge",
    name: "limbeck_build_info",
    help: "Build of Limbeck; always 1.",
    labels: { version: "one version" },
  },
} as const;

export const grpcServerMetrics = {
  started: family("grpc_server_started_total", "Calls begun here.", call),
  handled: family("grpc_server_handled_total", "Calls that ended here, by code.", ended),
  received: family("grpc_server_msg_received_total", "Messages of callers.", call),
  sent: family("grpc_server_msg_sent_total", "Messages to callers.", call),
  duration: duration("grpc_server_handling_seconds", "From a call's begin to its end."),
};

export const grpcClientMetrics = {
  started: family("grpc_client_started_total", "Calls this process began.", call),
  handled: family("grpc_client_handled_total", "Calls of this process that ended, by code.", ended),
  received: family("grpc_client_msg_received_total", "Messages that came back.", call),
  sent: family("grpc_client_msg_sent_total", "Messages of this process.", call),
  duration: duration("grpc_client_handling_seconds", "From a call's begin to its end."),
};
