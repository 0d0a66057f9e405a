/** The HTTP port: the live page; /metrics for Prometheus, and /targets for where it finds the others; /state for scripts. */
import type { Endpoint } from "../proto/endpoint.ts";
import { alive, type HttpPort, json, type Page, type Served, servePages } from "../proto/telemetry/http.ts";
import type { JobStatus } from "./status.ts";

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
    "/targets": (_: string, host: string) => json(targets(reachedAt(port.address, host), status())),
    "/healthz": alive,
    "/state": () => json(status()),
  };
  const port = await servePages(endpoint, pages, live);
  return port;
}

/** One that listens on all addresses is where whoever asks has found it. */
function reachedAt(own: string, host: string): string {
  return /^(0\.0\.0\.0|\[::\]):/.test(own) && host !== "" ? host : own;
}

interface TargetGroup {
  /** host:port */
  readonly targets: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
}

/**
 * Every process of the job that serves metrics, as Prometheus' `http_sd_configs` read it. Labels of a target come before
 * those of its series, so they have names that no series has.
 */
function targets(own: string, { job, workers }: JobStatus): TargetGroup[] {
  const group = (address: string, role: string, worker: string): TargetGroup => ({
    targets: [address],
    labels: { limbeck_job: job, limbeck_role: role, limbeck_worker: worker },
  });
  return [
    group(own, "coordinator", ""),
    ...workers.flatMap(({ http, role, worker }) => (http === "" ? [] : [group(http, role, worker)])),
  ];
}
