/** Coordinators of a service on loopback, and what is asked of them over real gRPC. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { type Service, startService } from "../../../coordinator/service/main.ts";
import type { Store } from "../../../coordinator/store.ts";
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

export async function service(name: string, state: string, store: Store): Promise<Service> {
  return await startService({
    ...{ name, state, store, listen: loopback, http: loopback, depot: null, allowsModules: false, log: silent },
  });
}

interface Submission {
  readonly job: string;
  readonly name?: string;
  readonly priority?: number;
  readonly by?: string;
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
