/** A service as it runs: NATS servers, coordinators and workers, each a real process that can be killed, stopped and started again. */
import { randomUUID } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { asLimbeckError } from "../../../core/errors.ts";
import type { ProgressEvent } from "../../../core/events.ts";
import type { JobEntry } from "../../../core/jobentry.ts";
import type { JobAction } from "../../../core/jobstate.ts";
import type { Report } from "../../../core/report.ts";
import { connectJobs, type Jobs } from "../../../proto/jobs.ts";
import { givenAddresses } from "../../../proto/whereabouts.ts";
import { freeAddress } from "../../freeport.ts";
import { type NatsServer, startNats, startNatsCluster } from "../../natsserver.ts";
import type { Scope } from "../../scope.ts";
import { eventsIn, reportIn } from "../cluster.ts";
import { Watch } from "../watch.ts";
import { type Coordinator, Coordinators } from "./coordinators.ts";
import { type WorkerLine, Workers } from "./workers.ts";

export interface ServiceSize {
  readonly natsServers: 1 | 3;
  readonly coordinators: number;
  readonly students: number;
  readonly teachers: number;
}

export class Service {
  readonly folder: string;
  readonly nats: readonly NatsServer[];
  readonly coordinators: Coordinators;
  readonly workers: Workers;
  readonly #watch: Watch;

  /** All of it. */
  static async start(scope: Scope, folder: string, size: ServiceSize): Promise<Service> {
    const service = await Service.open(scope, folder, size);
    const { coordinators, workers } = service;
    for (const coordinator of coordinators.all) coordinators.start(coordinator);
    for (const worker of workers.all) workers.start(worker);
    return service;
  }

  /**
   * With NATS only.
   * @param folder made where it is missing; state, records and a log lie in it
   */
  static async open(scope: Scope, folder: string, size: ServiceSize): Promise<Service> {
    mkdirSync(folder, { recursive: true });
    const nats = size.natsServers === 1 ? [await startNats(scope)] : await startNatsCluster(scope);
    const coordinators: Coordinator[] = [];
    for (let number = 1; number <= size.coordinators; number++)
      coordinators.push({ name: `c${number}`, rpc: await freeAddress(), http: await freeAddress(), process: null });
    const service = new Service(folder, { ...size, nats, coordinators });
    scope.after(() => service.close());
    return service;
  }

  private constructor(folder: string, { nats, coordinators, students, teachers }: Parts) {
    this.folder = folder;
    this.nats = nats;
    this.#watch = new Watch(join(folder, "log"));
    const { natsUrls } = this;
    this.coordinators = new Coordinators(this.#watch, { all: coordinators, folder, natsUrls });
    this.workers = new Workers(this.#watch, { students, teachers, coordinators, natsUrls });
  }

  get natsUrls(): string[] {
    return this.nats.map(({ url }) => url);
  }

  /** How processes ended that nobody had told to. */
  get surprises(): string[] {
    return this.#watch.surprises;
  }

  /** Until somebody takes it. @returns its id */
  async submit(name: string, yaml: string, deadlineMs?: number): Promise<string> {
    const submission = { job: yaml, name, priority: 0, sources: [], by: "chaos", request: randomUUID() };
    return (await this.#asked((jobs) => jobs.submit(submission), deadlineMs)).id;
  }

  /** Throws `usage` at once where the job takes it no more. */
  async control(job: string, action: JobAction): Promise<void> {
    await this.#asked((jobs) => jobs.control(job, action, "chaos"));
  }

  async list(): Promise<readonly JobEntry[]> {
    return await this.#asked((jobs) => jobs.list());
  }

  /** Until somebody answers. */
  async #asked<T>(ask: (jobs: Jobs) => Promise<T>, deadlineMs = 30_000): Promise<T> {
    const jobs = connectJobs(givenAddresses(this.coordinators.all.map(({ rpc }) => rpc)));
    try {
      for (const endMs = Date.now() + deadlineMs; ; await sleep(100)) {
        try {
          return await ask(jobs);
        } catch (thrown) {
          if (Date.now() >= endMs || asLimbeckError(thrown).code === "usage") throw thrown;
        }
      }
    } finally {
      jobs.close();
    }
  }

  /** Of the workers' lives that joined the job. */
  linesOf(job: string): WorkerLine[] {
    const joined = this.events(job).flatMap((event) => (event.kind === "worker-joined" ? [event.pid] : []));
    return this.workers.linesOf(new Set(joined));
  }

  runFolder(job: string): string {
    return join(this.folder, "state", "jobs", job);
  }

  events(job: string): ProgressEvent[] {
    return eventsIn(this.runFolder(job));
  }

  report(job: string): Report | null {
    return reportIn(this.runFolder(job));
  }

  async close(): Promise<void> {
    if (this.#watch.isOver) return;
    this.#watch.end();
    await this.coordinators.close();
    await this.workers.close();
    this.#watch.close();
  }
}

interface Parts extends Omit<ServiceSize, "coordinators"> {
  readonly nats: readonly NatsServer[];
  readonly coordinators: readonly Coordinator[];
}
