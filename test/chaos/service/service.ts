/** A service as it runs: NATS servers, coordinators and workers, each a real process that can be killed, stopped and started again. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream, existsSync, mkdirSync, readFileSync, type WriteStream } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { againCode, type Child, endChildren, startChild } from "../../../cli/children.ts";
import { asLimbeckError } from "../../../core/errors.ts";
import type { ProgressEvent } from "../../../core/events.ts";
import type { JobEntry } from "../../../core/jobentry.ts";
import type { Report } from "../../../core/report.ts";
import { connectJobs, type JobAction, type Jobs } from "../../../proto/jobs.ts";
import { packagePath } from "../../../proto/package.ts";
import { givenAddresses } from "../../../proto/whereabouts.ts";
import { freePort } from "../../freeport.ts";
import { type NatsServer, startNats, startNatsCluster } from "../../natsserver.ts";
import type { Scope } from "../../scope.ts";
import { eventsIn, reportIn } from "../cluster.ts";
import type { Recorded } from "./recorded.ts";

export interface ServiceSize {
  readonly natsServers: 1 | 3;
  readonly coordinators: number;
  readonly students: number;
  readonly teachers: number;
}

export interface Coordinator {
  readonly name: string;
  /** host:port */
  readonly rpc: string;
  readonly http: string;
  process: ChildProcess | null;
}

export interface Worker {
  readonly name: string;
  readonly role: "student" | "teacher";
  /** Those that it is told of, in this order; none: it asks NATS. */
  knows: readonly Coordinator[];
  /** null while it is dead. */
  child: Child | null;
  lives: number;
}

/** A line of a worker's log. */
export interface WorkerLine {
  /** One life of one worker. */
  readonly worker: string;
  readonly atMs: number;
  readonly event: string;
  readonly term: number;
  readonly fence: number | undefined;
  readonly why: string;
}

export class Service {
  readonly folder: string;
  readonly nats: readonly NatsServer[];
  readonly coordinators: readonly Coordinator[];
  readonly workers: readonly Worker[];
  readonly workerLines: WorkerLine[] = [];
  /** How processes ended that nobody had told to. */
  readonly surprises: string[] = [];
  readonly #log: WriteStream;
  readonly #expected = new WeakSet<object>();
  /** Of each life of each worker. */
  readonly #pids = new Map<string, number>();
  #isOver = false;

  /** All of it. */
  static async start(scope: Scope, folder: string, size: ServiceSize): Promise<Service> {
    const service = await Service.open(scope, folder, size);
    for (const coordinator of service.coordinators) service.startCoordinator(coordinator);
    for (const worker of service.workers) service.startWorker(worker);
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
    this.coordinators = coordinators;
    const named = (role: Worker["role"], count: number): Worker[] =>
      Array.from({ length: count }, (_, at) => ({
        ...{ name: `${role}-${at + 1}`, role, knows: at % 2 === 0 ? coordinators : [], child: null, lives: 0 },
      }));
    this.workers = [...named("student", students), ...named("teacher", teachers)];
    this.#log = createWriteStream(join(folder, "log"), { flags: "a" });
  }

  get natsUrls(): string[] {
    return this.nats.map(({ url }) => url);
  }

  startCoordinator(coordinator: Coordinator): void {
    if (this.#isOver || coordinator.process) return;
    const { name, rpc, http } = coordinator;
    const entry = packagePath("dist/test/chaos/service/coordinator.js");
    const args = [name, join(this.folder, "state"), rpc, http, this.natsUrls.join(), this.#recordOf(name)];
    const child = spawn(process.execPath, ["--enable-source-maps", entry, ...args], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    coordinator.process = child;
    for (const stream of [child.stdout!, child.stderr!])
      stream.setEncoding("utf8").on("data", (text: string) => this.#note(name, text));
    child.once("exit", (code, signal) => {
      if (coordinator.process === child) coordinator.process = null;
      this.#note(name, `(${signal ?? code})`);
      if (this.#expected.has(child) || this.#isOver) return;
      this.surprises.push(`${name} ended: ${signal ?? `code ${code}`}`);
      this.startCoordinator(coordinator);
    });
  }

  startWorker(worker: Worker): void {
    if (this.#isOver || worker.child) return;
    const { name, role, knows } = worker;
    const life = `${name}/${++worker.lives}`;
    const where =
      knows.length === 0 ? ["--nats", this.natsUrls.join()] : ["--coordinator", knows.map(({ rpc }) => rpc).join()];
    const args = ["worker", "--role", role, "--name", name, ...where, "-o", "json"];
    let rest = "";
    const hearLog = (text: string) => {
      const lines = (rest + text).split("\n");
      rest = lines.pop()!;
      for (const line of lines) this.#hearWorker(life, line);
    };
    const child = startChild(name, args, { hear: (text) => this.#note(life, text), hearLog });
    worker.child = child;
    this.#pids.set(life, child.process.pid!);
    void child.ended.then(async ({ exitCode, how }) => {
      if (worker.child === child) worker.child = null;
      this.#note(life, `(${how})`);
      if (this.#expected.has(child) || this.#isOver) return;
      if (exitCode !== againCode) {
        this.surprises.push(`${life} ${how}`);
        await sleep(restartMs);
      }
      this.startWorker(worker);
    });
  }

  /** SIGKILL; resolves when it is gone. */
  async killCoordinator(coordinator: Coordinator): Promise<void> {
    const { process: child } = coordinator;
    if (!child) return;
    this.#expected.add(child);
    const gone = once(child, "exit");
    child.kill("SIGKILL");
    await gone;
  }

  async killWorker(worker: Worker): Promise<void> {
    const { child } = worker;
    if (!child) return;
    this.#expected.add(child);
    child.process.kill("SIGKILL");
    await child.ended;
    worker.child = null;
  }

  /** All that was recorded, in the order of the coordinators. */
  records(): Recorded[] {
    return this.coordinators.flatMap(({ name }) => {
      const file = this.#recordOf(name);
      if (!existsSync(file)) return [];
      const lines = readFileSync(file, "utf8").split("\n").slice(0, -1);
      return lines.map((line) => JSON.parse(line) as Recorded);
    });
  }

  /** The newest leader, where it lives. */
  leader(): { readonly coordinator: Coordinator; readonly fence: number } | null {
    const newest = this.records().reduce<Recorded | null>(
      (found, record) => (found && found.fence >= record.fence ? found : record),
      null,
    );
    const coordinator = this.coordinators.find(
      ({ name, process: child }) => child && newest?.coordinator === `${name} (${child.pid})`,
    );
    return coordinator ? { coordinator, fence: newest!.fence } : null;
  }

  /** Of the lives that joined the job: each works for one. */
  linesOf(job: string): WorkerLine[] {
    const joined = new Set(this.events(job).flatMap((event) => (event.kind === "worker-joined" ? [event.pid] : [])));
    return this.workerLines.filter(({ worker }) => joined.has(this.#pids.get(worker)!));
  }

  /** Until somebody takes it. @returns its id */
  async submit(name: string, yaml: string, deadlineMs?: number): Promise<string> {
    const submission = { job: yaml, name, priority: 0, sources: [], by: "chaos" };
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
    const jobs = connectJobs(givenAddresses(this.coordinators.map(({ rpc }) => rpc)));
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
    if (this.#isOver) return;
    this.#isOver = true;
    const children = this.workers.flatMap(({ child }) => child ?? []);
    for (const { process: child } of this.coordinators) {
      if (!child) continue;
      const gone = once(child, "exit");
      child.kill("SIGKILL");
      await gone;
    }
    await endChildren(children, 5_000);
    this.#log.end();
  }

  #recordOf(name: string): string {
    return join(this.folder, `${name}.record`);
  }

  #hearWorker(worker: string, line: string): void {
    this.#note(worker, line);
    if (!line.startsWith("{")) return;
    const { time, event = "", term = 0, fence, why = "" } = JSON.parse(line);
    this.workerLines.push({ worker, atMs: Date.parse(time), event, term, fence, why });
  }

  #note(name: string, said: string): void {
    if (this.#log.writableEnded) return;
    const at = new Date().toISOString();
    for (const line of said.split("\n").filter(Boolean)) this.#log.write(`${at} ${name}: ${line}\n`);
  }
}

interface Parts extends Omit<ServiceSize, "coordinators"> {
  readonly nats: readonly NatsServer[];
  readonly coordinators: readonly Coordinator[];
}

const restartMs = 300;
