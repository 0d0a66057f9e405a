/** The service's HTTP port: its pages; what it does and who leads, for scripts; whom to scrape. */
import type { Registry } from "prom-client";
import type { Endpoint } from "../../proto/endpoint.ts";
import { exposition } from "../../proto/telemetry/exposition.ts";
import {
  alive,
  answerPage,
  type Handlers,
  type HttpPort,
  json,
  type Page,
  type Pages,
  ready,
  servePages,
} from "../../proto/telemetry/http.ts";
import type { HttpAccess } from "../../proto/telemetry/httpaccess.ts";
import { answerText } from "../../proto/telemetry/httpserver.ts";
import { foundAt, type TargetGroup, target } from "../targets.ts";
import { clusterView, reached } from "./clusterview.ts";
import type { Present } from "./crowd.ts";
import { entries } from "./jobsrpc.ts";
import { listWorkers } from "./listing.ts";
import type { Standing } from "./main.ts";
import type { ServiceMetrics } from "./metrics.ts";
import { servicePages } from "./pages.ts";
import type { Results } from "./results.ts";

export interface ServicePages {
  readonly registry: Registry;
  readonly metrics: ServiceMetrics;
  readonly standing: () => Standing;
  /** Of the store; empty where there is none. */
  readonly trouble: () => string;
  readonly name: string;
  /** host:port where workers join and jobs are submitted. */
  readonly address: string;
  readonly results: Results;
  readonly access: HttpAccess | undefined;
  readonly now: () => number;
}

/**
 * /leader/targets is for who asks any of the coordinators, as through one address for all: only who leads knows the workers.
 * It names the leader as others are told it, for at the address that was asked another may answer the next time.
 * Throws `unavailable` where the port cannot be had.
 */
export async function serveService(
  endpoint: Endpoint,
  { registry, metrics, standing, trouble, name, address, results, access, now }: ServicePages,
): Promise<HttpPort> {
  const state = () => {
    const at = standing();
    if (at.kind === "standby") return { name, state: "standby", leader: at.leader, jobs: [], workers: [] };
    const { reign, leadership } = at;
    const leading = { name, state: leadership.holds() ? "leading" : "waiting for its lease", fence: leadership.fence };
    return { ...leading, jobs: entries(reign, now()), workers: listWorkers(reign.state) };
  };
  const pages: Pages = {
    "/metrics": exposition(registry, () => metrics.refresh(standing())),
    "/healthz": alive,
    "/readyz": () => readiness(standing(), trouble()),
    "/state": () => json(state()),
    "/targets": (_, host) => json(targets(foundAt(port.address, host), standing())),
  };
  const own = () => reached({ name, address, http: port.address });
  const live = servicePages({
    standing,
    results,
    view: (asked) => clusterView({ standing: standing(), own: own(), atMs: now() }, asked),
  });
  const handlers: Handlers = {
    ...live,
    "/leader/targets": async (_, response) => {
      const at = standing();
      if (at.kind === "leading") {
        await answerPage(response, () => json(targets(own().http, at)));
      } else if (at.leader) {
        response.writeHead(302, { location: `http://${reached(at.leader).http}/leader/targets` }).end();
      } else {
        // Whoever asks keeps the list that it had.
        answerText(response, 503, "nobody leads now");
      }
    },
  };
  const port = await servePages(endpoint, pages, { handlers, access });
  return port;
}

/** Can decide, or can follow. @param trouble of the store */
function readiness(standing: Standing, trouble: string): Page {
  if (standing.kind === "leading") {
    const waits = "it leads, and waits for its lease: the store does not answer";
    return ready(standing.leadership.holds() ? "" : waits, "leads");
  }
  const why = trouble === "" ? "" : `it stands by, and can neither lead nor follow: ${trouble}`;
  return ready(why, `stands by; ${standing.leader?.name ?? "nobody"} leads`);
}

/** This process, each job it decides (by a path of its own), and the workers, those of a job in the role that it has for them. */
function targets(own: string, standing: Standing): TargetGroup[] {
  const coordinator = (job: string) => target(own, { job, role: "coordinator", worker: "" });
  if (standing.kind === "standby") return [coordinator("")];
  const { runs, crowd, state } = standing.reign;
  const nameOf = (job: string | null) => (job === null ? "" : (state.jobs.get(job)?.name ?? job));
  const rolesIn = new Map(
    [...runs.all].map(([id, run]) => [id, new Map(run.status().workers.map(({ worker, role }) => [worker, role]))]),
  );
  const roleOf = ({ hello, job }: Present) => rolesIn.get(job ?? "")?.get(hello.worker) ?? hello.role;
  const ofJob = (id: string): TargetGroup => {
    const { targets, labels } = coordinator(nameOf(id));
    return { targets, labels: { ...labels, __metrics_path__: `/jobs/${id}/metrics` } };
  };
  return [
    coordinator(""),
    ...[...runs.all.keys()].map(ofJob),
    ...[...crowd.present.values()].flatMap((present) => {
      const { http, worker } = present.hello;
      return http === "" ? [] : [target(http, { job: nameOf(present.job), role: roleOf(present), worker })];
    }),
  ];
}
