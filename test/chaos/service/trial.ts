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

export interface Tried {
  readonly struck: readonly ServiceStruck[];
  /** Of the job, and of the same under another name that waited behind it, where one did; null of one that did not end. */
  readonly reports: readonly (Report | null)[];
  /** Of each of them. */
  readonly checked: readonly Checked[];
}

/** Where the job is paused meanwhile, another is there for its workers. */
export async function tried(service: Service, { name, yaml, faults, deadlineMs }: Trial): Promise<Tried> {
  const job = await service.submit(name, yaml, deadlineMs);
  const jobs = [job];
  await until(() => service.events(job).some(({ kind }) => kind === "stepped"), deadlineMs);
  const isPaused = faults.some(({ kind }) => kind === "pause-and-kill-leader");
  if (isPaused) jobs.push(await service.submit(`${name}-behind`, yaml, deadlineMs));
  const firstMs = Date.now();
  const struck: ServiceStruck[] = [];
  const under: Promise<void>[] = [];
  for (const fault of faults) {
    await sleep(Math.max(0, firstMs + fault.atMs - Date.now()));
    if (service.report(job)) break;
    under.push(strikeService(service, { fault, job }, (done) => void struck.push(done)));
  }
  await Promise.all(under);
  const reports = () => jobs.map((each) => service.report(each));
  await until(() => !reports().includes(null), jobs.length * deadlineMs);
  const checked: Checked[] = [];
  for (const each of jobs) checked.push(await history(service, each));
  return { struck, reports: reports(), checked };
}

/** Of the job, and of the service so far. */
export async function history(service: Service, job: string): Promise<Checked> {
  const nats = await connectNats({ urls: service.natsUrls, name: "limbeck chaos", deadlineMs: 30_000 });
  try {
    const [entries, queue] = [
      await journalEntries(nats.connection, job),
      await journalEntries(nats.connection, "service"),
    ];
    return check({ entries, queue, records: service.coordinators.records(), lines: service.linesOf(job) });
  } finally {
    await nats.close();
  }
}

export function countsOf(struck: readonly ServiceStruck[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { kind } of struck) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}
