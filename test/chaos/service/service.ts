/** A service as it runs: NATS servers, coordinators and workers, each a real process that can be killed, stopped and started again. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { ProgressEvent } from "../../../core/events.ts";
import type { Report } from "../../../core/report.ts";
import type { SubmitReply__Output } from "../../../proto/gen/limbeck/v1/SubmitReply.ts";
import { jobsClient } from "../../../proto/wire.ts";
import { freePort } from "../../freeport.ts";
import { type NatsServer, startNats, startNatsCluster } from "../../natsserver.ts";
import type { Scope } from "../../scope.ts";
import { eventsIn, reportIn } from "../cluster.ts";
import { Watch } from "../watch.ts";
import { type Coordinator, Coordinators } from "./coordinators.ts";
import { Workers } from "./workers.ts";

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
    const address = async () => {
      const { host, port } = await freePort();
      return `${host}:${port}`;
    };
    const coordinators: Coordinator[] = [];
    for (let number = 1; number <= size.coordinators; number++)
      coordinators.push({ name: `c${number}`, rpc: await address(), http: await address(), process: null });
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
  async submit(name: string, yaml: string, deadlineMs = 30_000): Promise<string> {
    let failure: unknown = null;
    for (const endMs = Date.now() + deadlineMs; Date.now() < endMs; await sleep(100)) {
      for (const { rpc } of this.coordinators.all) {
        const client = jobsClient(rpc);
        try {
          const request = { job: yaml, name, priority: 0, sources: [], by: "chaos" };
          const reply = await new Promise<SubmitReply__Output>((resolve, reject) => {
            const deadline = { deadline: Date.now() + 3_000 };
            client.submit(request, deadline, (error, given) => (error ? reject(error) : resolve(given!)));
          });
          return reply.job;
        } catch (thrown) {
          failure = thrown;
        } finally {
          client.close();
        }
      }
    }
    throw new Error(`nobody takes the job: ${(failure as Error).message}`);
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
