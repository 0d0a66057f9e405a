/** `limbeck coordinator` without a job file: one coordinator of a service, that leads or stands by. */
import { hostname } from "node:os";
import { resolve } from "node:path";
import { type Service, startService } from "../coordinator/service/main.ts";
import type { Store } from "../coordinator/store.ts";
import { LimbeckError } from "../core/errors.ts";
import { natsUser } from "../proto/cluster.ts";
import { type Endpoint, hostPort, isEverywhere } from "../proto/endpoint.ts";
import type { HealthPort } from "../proto/health.ts";
import { type Log, openLog } from "../proto/telemetry/log.ts";
import { patienceMs } from "../proto/whereabouts.ts";
import type { OutputFormat } from "./display.ts";
import { type GivenPages, openPages, securityFor, toldOfNats } from "./ports.ts";
import type { GivenSecurity } from "./security.ts";
import { checkOwner } from "./statefolder.ts";

export interface ServiceOptions extends GivenSecurity, GivenPages {
  readonly state: string;
  readonly set: readonly string[];
  readonly listen: Endpoint;
  readonly advertise?: Endpoint;
  readonly nats?: readonly string[];
  readonly natsCreds?: string;
  readonly natsCa?: string;
  readonly name?: string;
  readonly depot?: string;
  readonly allowModules?: boolean;
  readonly maxJobs?: number;
  readonly output?: OutputFormat;
  /** Of a job. */
  readonly leaveCode?: number;
  readonly failedCode?: number;
}

/** Until SIGTERM or SIGINT; jobs go on with the next leader. */
export async function service(options: ServiceOptions): Promise<void> {
  const { state, listen, http, set, output, depot = null, allowModules = false, maxJobs: mostJobs } = options;
  if (set.length > 0)
    throw new LimbeckError("usage", "--set changes a job, and no job file is given: use it with `limbeck submit`");
  if (options.leaveCode !== undefined || options.failedCode !== undefined)
    throw new LimbeckError("usage", "--leave-code and --failed-code are of a job, and no job file is given");
  const folder = resolve(state);
  await checkOwner(folder, "service");
  const advertise = advertised(options);
  const name = options.name ?? (advertise || hostPort(hostname(), listen.port));
  const log = openLog(name, { output });
  const security = securityFor(options, log);
  const pages = await openPages(options, log);
  let store: Store | null = null;
  try {
    store = await openStore(options, { name, log });
    const secured = { security, access: pages.access };
    const decided = { depot, allowsModules: allowModules, mostJobs, ...(advertise !== "" && { advertise }) };
    const running = await startService({
      name,
      state: folder,
      listen,
      http,
      store,
      log,
      ...decided,
      ...secured,
    });
    store = null; // Closed with what runs.
    await served(running, { log, health: pages.health });
  } finally {
    await store?.close();
    pages.close();
    security.close();
  }
}

/** Until it is told to stop. */
async function served(running: Service, { log, health }: { log: Log; health: HealthPort | null }): Promise<void> {
  log.info(
    { event: "listening", address: running.address, http: running.httpAddress },
    `workers join at ${running.address}; watch it at http://${running.httpAddress}/`,
  );
  health?.set("SERVING");
  const close = (signal: NodeJS.Signals) => {
    health?.set("NOT_SERVING");
    running.close(`it was told to stop (${signal})`).catch(() => {});
  };
  process.once("SIGTERM", close).once("SIGINT", close);
  await running.finished;
}

/** host:port as others are told; empty: where it listens. Nobody else can reach "all addresses". */
function advertised({ advertise, listen }: ServiceOptions): string {
  if (advertise) return hostPort(advertise.host, advertise.port);
  if (!isEverywhere(listen.host)) return "";
  if (listen.port !== 0) return hostPort(hostname(), listen.port);
  throw new LimbeckError(
    "usage",
    "--listen names no host and no port that others can be told: give --advertise HOST:PORT",
  );
}

/** NATS may be yet to come: it is connected to when the service has its ports. */
async function openStore(
  { state, nats: urls, natsCreds: credentials, natsCa: ca, cluster }: ServiceOptions,
  { name, log }: { readonly name: string; readonly log: Log },
): Promise<Store> {
  if (!urls) {
    const { openFolderStore } = await import("../coordinator/folder/store.ts");
    return openFolderStore(resolve(state));
  }
  const { awaitNatsStore } = await import("../coordinator/nats/awaited.ts");
  const asked = { urls, user: natsUser(), credentials, ca, name: `limbeck coordinator ${name}` };
  return awaitNatsStore({ nats: { ...asked, deadlineMs: patienceMs, told: toldOfNats(log) }, cluster, log });
}
