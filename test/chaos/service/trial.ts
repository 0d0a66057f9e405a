/** One job of a service under faults, to its end, and what its history says. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Report } from "../../../core/report.ts";
import { connectNats } from "../../../proto/nats.ts";
import { until } from "../chaos.ts";
import { type Checked, check, journalEntries } from "./acts.ts";
import type { ServiceFault } from "./faults.ts";
import type { Service } from "./service.ts";
import { type ServiceStruck, strikeService } from "./strike.ts";

export interface Trial {
  readonly name: string;
  readonly yaml: string;
  readonly faults: readonly ServiceFault[];
  /** For the first step, and for the end after the last fault. */
  readonly deadlineMs: number;
}

export interface Tried extends Checked {
  readonly job: string;
  readonly struck: readonly ServiceStruck[];
  /** null where it did not end. */
  readonly report: Report | null;
}

export async function tried(service: Service, { name, yaml, faults, deadlineMs }: Trial): Promise<Tried> {
  const sinceMs = Date.now();
  const job = await service.submit(name, yaml, deadlineMs);
  await until(() => service.events(job).some(({ kind }) => kind === "stepped"), deadlineMs);
  const firstMs = Date.now();
  const struck: ServiceStruck[] = [];
  const under: Promise<void>[] = [];
  for (const fault of faults) {
    await sleep(Math.max(0, firstMs + fault.atMs - Date.now()));
    if (service.report(job)) break;
    under.push(strikeService(service, fault, (done) => void struck.push(done)));
  }
  await Promise.all(under);
  await until(() => service.report(job) !== null, deadlineMs);
  return { job, struck, report: service.report(job), ...(await history(service, job, sinceMs)) };
}

/** Of the job that was submitted then, and of the service so far. */
export async function history(service: Service, job: string, sinceMs: number): Promise<Checked> {
  const nats = await connectNats({ urls: service.natsUrls, name: "limbeck chaos", deadlineMs: 30_000 });
  try {
    const [entries, queue] = [
      await journalEntries(nats.connection, job),
      await journalEntries(nats.connection, "service"),
    ];
    return check({
      entries,
      queue,
      records: service.coordinators.records(),
      lines: service.workers.linesSince(sinceMs),
    });
  } finally {
    await nats.close();
  }
}

export function countsOf(struck: readonly ServiceStruck[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { kind } of struck) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}
