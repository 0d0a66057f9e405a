/** The HTTP port: the live page; /metrics for Prometheus, and /targets for where it finds the others; /state for scripts. */
import type { Endpoint } from "../proto/endpoint.ts";
import { alive, type HttpPort, json, type Page, type Served, servePages } from "../proto/telemetry/http.ts";
import type { JobStatus } from "./status.ts";
import { foundAt, type TargetGroup, target } from "./targets.ts";

/**
 * Throws `unavailable` where the port cannot be had.
 * @param metrics the page for an Accept header
 * @param live the live page, its files and its stream, and who may read them
 */
export async function serveHttp(
  endpoint: Endpoint,
  metrics: (accept: string) => Promise<Page>,
  status: () => JobStatus,
  live: Served,
): Promise<HttpPort> {
  const pages = {
    "/metrics": metrics,
    "/targets": (_: string, host: string) => json(targets(foundAt(port.address, host), status())),
    "/healthz": alive,
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
