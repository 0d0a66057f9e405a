/** The service's HTTP port: what it does and who leads; of each job that runs, the live page, its status and metrics. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Registry } from "prom-client";
import type { Endpoint } from "../../proto/endpoint.ts";
import { exposition } from "../../proto/telemetry/exposition.ts";
import {
  alive,
  type Handler,
  type HttpPort,
  json,
  type Page,
  type Pages,
  servePages,
} from "../../proto/telemetry/http.ts";
import { pageFiles } from "../page/files.ts";
import { entries } from "./jobsrpc.ts";
import { listWorkers } from "./listing.ts";
import type { Standing } from "./main.ts";
import type { ServiceMetrics } from "./metrics.ts";
import type { OpenRun } from "./runs.ts";

export interface ServicePages {
  readonly registry: Registry;
  readonly metrics: ServiceMetrics;
  readonly standing: () => Standing;
  readonly name: string;
  readonly now: () => number;
}

/** Throws `unavailable` where the port cannot be had. */
export async function serveService(
  endpoint: Endpoint,
  { registry, metrics, standing, name, now }: ServicePages,
): Promise<HttpPort> {
  const state = () => {
    const at = standing();
    if (at.kind === "standby") return { name, state: "standby", leader: at.leader, jobs: [], workers: [] };
    const { reign, leadership } = at;
    const leading = { name, state: leadership.holds() ? "leading" : "waiting for its lease", fence: leadership.fence };
    return { ...leading, jobs: entries(reign, now()), workers: listWorkers(reign.state) };
  };
  const files = pageFiles();
  const pages: Pages = {
    "/metrics": exposition(registry, () => metrics.refresh(standing())),
    "/healthz": alive,
    "/readyz": () => ready(standing()),
    "/state": () => json(state()),
    "/targets": (_, host) => json(targets(port.address, host, standing())),
  };
  const runs = () => {
    const at = standing();
    return at.kind === "leading" ? at.reign.runs.all : new Map<string, OpenRun>();
  };
  const port = await servePages(endpoint, pages, { ...files, "/jobs/*": jobHandler(runs, files["/"]!) });
  return port;
}

/** Can decide, or can follow. */
function ready(standing: Standing): Page {
  if (standing.kind === "standby")
    return ["text/plain; charset=utf-8", `stands by; ${standing.leader?.name ?? "nobody"} leads\n`];
  if (standing.leadership.holds()) return ["text/plain; charset=utf-8", "leads\n"];
  throw new Error("it leads, and waits for its lease: the store does not answer");
}

/** /jobs/ID/ and what the page at it asks for. */
function jobHandler(runs: () => ReadonlyMap<string, OpenRun>, page: Handler): Handler {
  return (request: IncomingMessage, response: ServerResponse) => {
    const { pathname } = new URL(request.url ?? "/", "http://localhost");
    const [, id = "", what = ""] = /^\/jobs\/([a-z0-9-]+)\/(events|state|metrics)?$/.exec(pathname) ?? [];
    const run = runs().get(id);
    if (!run) {
      response.writeHead(404, { "content-type": "text/plain; charset=utf-8" }).end("no such job runs here\n");
      return;
    }
    switch (what) {
      case "events":
        return run.feed.open(request, response);
      case "state":
        return send(response, json(run.status()));
      case "metrics":
        void run.metrics(String(request.headers.accept ?? "")).then((made) => send(response, made));
        return;
      default:
        return page(request, response);
    }
  };
}

function send(response: ServerResponse, [contentType, text]: Page): void {
  response.writeHead(200, { "content-type": contentType }).end(text);
}

interface TargetGroup {
  /** host:port */
  readonly targets: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
}

/** This process, each job it decides (by a path of its own), and the workers, as Prometheus' `http_sd_configs` read them. */
function targets(own: string, host: string, standing: Standing): TargetGroup[] {
  const address = /^(0\.0\.0\.0|\[::\]):/.test(own) && host !== "" ? host : own;
  const group = (target: string, role: string, labels: Readonly<Record<string, string>>): TargetGroup => ({
    targets: [target],
    labels: { limbeck_job: "", limbeck_worker: "", ...labels, limbeck_role: role },
  });
  const process = group(address, "coordinator", {});
  if (standing.kind === "standby") return [process];
  const { runs, crowd, state } = standing.reign;
  const nameOf = (job: string | null) => (job === null ? "" : (state.jobs.get(job)?.name ?? job));
  return [
    process,
    ...[...runs.all.keys()].map((id) =>
      group(address, "coordinator", { limbeck_job: nameOf(id), __metrics_path__: `/jobs/${id}/metrics` }),
    ),
    ...[...crowd.present.values()].flatMap(({ hello, job }) =>
      hello.http === ""
        ? []
        : [group(hello.http, hello.role, { limbeck_job: nameOf(job), limbeck_worker: hello.worker })],
    ),
  ];
}
