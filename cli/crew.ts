/** The processes of `limbeck run`, each kept alive: a coordinator on the same ports and state in every life, and its workers. */

import { LimbeckError } from "../core/errors.ts";
import { type Endpoint, hostPort } from "../proto/endpoint.ts";
import { type Child, type Ended, startChild } from "./children.ts";
import type { Deaths } from "./deaths.ts";
import type { RunPlan } from "./runplan.ts";
import { withoutSecurity } from "./security.ts";
import { type Supervised, supervise } from "./supervisor.ts";

const coordinatorUpMs = 20_000;

export interface LastingCoordinator {
  readonly coordinator: Supervised;
  /** host:port where workers join. */
  readonly address: string;
  readonly http: string;
}

interface Addresses {
  readonly address: string;
  readonly http: string;
}

interface CoordinatorStart {
  readonly plan: RunPlan;
  readonly http: Endpoint;
  readonly deaths: Deaths;
  /** Called before it is up. */
  started(coordinator: Supervised): void;
}

/** Starts it and waits until it listens. Throws why its first life ended, or did not come so far. */
export async function startLastingCoordinator(file: string, options: CoordinatorStart): Promise<LastingCoordinator> {
  const { plan, http, deaths, started } = options;
  const set = plan.overrides.flatMap((override) => ["--set", override]);
  let ports: Addresses = { address: "127.0.0.1:0", http: hostPort(http.host, http.port) };
  let isUp = false;
  const start = () =>
    startChild(
      "the coordinator",
      [...["coordinator", file, "--state", plan.folder, "--listen", ports.address, "--http", ports.http], ...set],
      { env: withoutSecurity },
    );
  const coordinator = supervise("the coordinator", start, {
    onDeath: (ended, waitMs) => isUp && deaths.onDeath("the coordinator", ended, waitMs),
    isFinal: (ended) => isLastWord(ended),
  });
  started(coordinator);
  ports = await addressesOf(coordinator.child);
  isUp = true;
  return { coordinator, ...ports };
}

/** What a coordinator tells it failed of is the end of the job. A port it gave up a moment ago may not be free yet. */
function isLastWord({ exitCode, failure }: Ended): boolean {
  return exitCode === 0 || exitCode === 2 || (failure !== null && failure !== "unavailable");
}

/** The coordinator tells its addresses once it listens. */
async function addressesOf({ process: child, ended }: Child): Promise<Addresses> {
  let late: NodeJS.Timeout | undefined;
  const told = new Promise<Addresses>((resolve, reject) => {
    child.on("message", (message) => {
      if ("address" in (message as object)) resolve(message as Addresses);
    });
    const silent = new LimbeckError("timeout", `the coordinator was not up after ${coordinatorUpMs / 1000} s`);
    late = setTimeout(() => reject(silent), coordinatorUpMs);
  });
  const died = ended.then(({ how, failure }) => {
    throw new LimbeckError(failure ?? "unavailable", how.replace(/^ended with code \d+: /, ""));
  });
  try {
    return await Promise.race([told, died]);
  } finally {
    clearTimeout(late);
    died.catch(() => {});
  }
}

export function startLastingWorkers({ job, students }: RunPlan, coordinator: string, deaths: Deaths): Supervised[] {
  const { teachers, roles } = job.workers;
  const start = (role: string) => (_: unknown, index: number) => {
    const name = `${role === "auto" ? "worker" : role}-${index + 1}`;
    const args = ["worker", "--role", role, "--name", name, "--coordinator", coordinator];
    const worker = supervise(name, () => startChild(name, args, { env: withoutSecurity }), {
      onDeath: (ended, waitMs) => deaths.onDeath(name, ended, waitMs),
    });
    deaths.watch(worker);
    return worker;
  };
  if (roles === "auto") return Array.from({ length: students + teachers }, start("auto"));
  return [...Array.from({ length: students }, start("student")), ...Array.from({ length: teachers }, start("teacher"))];
}
