/** Coordinators of a service on loopback, and what is asked of them over real gRPC. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { type Service, type ServiceOptions, startService } from "../../../coordinator/service/main.ts";
import type { Journal, Store } from "../../../coordinator/store.ts";
import { LimbeckError } from "../../../core/errors.ts";
import type { JobAction } from "../../../core/jobstate.ts";
import type { ClusterView } from "../../../core/live/cluster.ts";
import { packagePath } from "../../../proto/package.ts";
import { silent } from "../../../proto/telemetry/log.ts";
import { jobsClient } from "../../../proto/wire.ts";
import { loopback } from "../sessions.ts";

export const jobFile = readFileSync(packagePath("examples/smoke.yaml"), "utf8");

const deadlineMs = 15_000;

/** Asks again and again. */
export async function until(isSo: () => Promise<boolean>): Promise<void> {
  for (const endMs = Date.now() + deadlineMs; !(await isSo()); await sleep(50)) {
    assert.ok(Date.now() < endMs, `not in time: ${isSo}`);
  }
}

/** @param changes of its options: another depot than the state folder, code of jobs allowed */
export async function service(
  name: string,
  state: string,
  store: Store,
  changes: Partial<ServiceOptions> = {},
): Promise<Service> {
  return await startService({
    ...{ name, state, store, listen: loopback, http: loopback, depot: null, allowsModules: false, log: silent },
    ...changes,
  });
}

type Journals = <R>(name: string, open: () => Promise<Journal<R>>) => Promise<Journal<R>>;

/** The same store, whose leaders' journals are what is made of them. */
export function withJournals(store: Store, made: Journals): Store {
  return {
    ...store,
    async lead(own, options) {
      const leadership = await store.lead(own, options);
      return {
        ...leadership,
        journal: <R>(name: string, until?: AbortSignal) => made(name, () => leadership.journal<R>(name, until)),
      };
    },
  };
}

/** Its leader dies as soon as its journal has the first such record: nobody has heard of it. */
export function dyingAfter(store: Store, kind: string, die: () => void): Store {
  return withJournals(store, async (_, open) => {
    const journal = await open();
    return {
      ...journal,
      async append(record) {
        await journal.append(record);
        if ((record as { readonly kind: string }).kind !== kind) return;
        die();
        throw new LimbeckError("stale_term", "another leads");
      },
    };
  });
}

export async function isLeading(asked: Service): Promise<boolean> {
  return (await view(asked)).standing === "leading";
}

interface Submission {
  readonly job: string;
  readonly name?: string;
  readonly priority?: number;
  readonly by?: string;
  readonly sources?: { readonly path: string; readonly text: string }[];
}

/** @returns the job's id */
export async function submit(service: Service, submission: Submission): Promise<string> {
  return (await submitAll(service, [submission]))[0]!;
}

/** One after the other. @returns their ids */
export async function submitAll({ address }: Service, submissions: readonly Submission[]): Promise<string[]> {
  const client = jobsClient(address);
  const ids: string[] = [];
  try {
    for (const submission of submissions) {
      const reply = await new Promise<{ job: string }>((resolve, reject) => {
        client.submit({ by: "anna@lab", ...submission }, (error, reply) => (error ? reject(error) : resolve(reply!)));
      });
      ids.push(reply.job);
    }
    return ids;
  } finally {
    client.close();
  }
}

export async function control({ address }: Service, job: string, action: JobAction): Promise<void> {
  const client = jobsClient(address);
  try {
    await new Promise<void>((resolve, reject) => {
      client.control({ job, action, why: "a test asks" }, (error) => (error ? reject(error) : resolve()));
    });
  } finally {
    client.close();
  }
}

export async function view({ httpAddress }: Service, query = ""): Promise<ClusterView> {
  return (await (await fetch(`http://${httpAddress}/cluster${query}`)).json()) as ClusterView;
}
