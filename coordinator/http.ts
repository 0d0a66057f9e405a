/** The HTTP port: the live page; /metrics for Prometheus, and /targets for where it finds the others; /state for scripts; /healthz and /readyz. */
import type { Endpoint } from "../proto/endpoint.ts";
import { alive, type HttpPort, json, type Page, ready, type Served, servePages } from "../proto/telemetry/http.ts";
import type { JobStatus } from "./status.ts";
import { foundAt, type TargetGroup, target } from "./targets.ts";

export interface JobPages {
  /** The page for an Accept header. */
  readonly metrics: (accept: string) => Promise<Page>;
  readonly status: () => JobStatus;
  /** Why the job is not decided about here now; empty where it is. */
  readonly trouble: () => string;
}

/**
 * Throws `unavailable` where the port cannot be had.
 * @param live the live page, its files and its stream, and who may read them
 */
export async function serveHttp(
  endpoint: Endpoint,
  { metrics, status, trouble }: JobPages,
  live: Served,
): Promise<HttpPort> {
  const pages = {
    "/metrics": metrics,
    "/targets": (_: string, host: string) => json(targets(foundAt(port.address, host), status())),
    "/healthz": alive,
    "/readyz": () => ready(trouble(), "decides"),
    "/state": () => json(status()),
  };
  const port = await servePages(endpoint, pages, live);
  return port;
}

/** Every process of the job that serves metrics. */
function targets(own: string, { job, workers }: JobStatus): TargetGroup[] {
  return [
    target(own, { job, role: "coordinator", worker: "" }),
    ...workers.flatMap(({ http, role, worker }) => (http === "" ? [] : [target(http, { job, role, worker })])),
  ];
}
