/** A worker process: joins the coordinator, prepares, and does what each term assigns to it until it is told to stop. */
import { asLimbeckError, LimbeckError } from "../core/errors.ts";
import type { Job } from "../core/job.ts";
import type { FromWorker } from "../proto/gen/limbeck/v1/FromWorker.ts";
import type { ToWorker__Output } from "../proto/gen/limbeck/v1/ToWorker.ts";
import type { Welcome__Output } from "../proto/gen/limbeck/v1/Welcome.ts";
import { packageVersion } from "../proto/package.ts";
import { Assignment } from "./assignment.ts";
import { Device } from "./compute/device.ts";
import { nothing, type Status, type WorkerContext } from "./context.ts";
import { openDataset } from "./data/open.ts";
import type { EngineInfo } from "./engine/engine.ts";
import { engineEnvironment } from "./engine/environment.ts";
import { ensureEngine } from "./engine/install.ts";
import { openServices, type Services } from "./services.ts";
import { joinCoordinator, type Session } from "./session.ts";

export type Role = "student" | "teacher";

export interface WorkerOptions {
  readonly coordinator: { readonly host: string; readonly port: number };
  readonly role: Role;
  readonly name: string;
  readonly listen: { readonly host: string; readonly port: number };
}

/**
 * Runs until the coordinator says stop, or `leaving` asks the worker to go; gives all back before it returns.
 * Throws what it failed of, after it told the coordinator.
 */
export async function runWorker(options: WorkerOptions, leaving: AbortSignal): Promise<void> {
  const status: Status = { doing: "joining", waitingFor: nothing, step: 0 };
  const services = await openServices(options.listen);
  try {
    const session = await joinCoordinator(options.coordinator, status, leaving);
    const worker = new WorkerProcess(options, session, services, status);
    const leave = () => worker.leave(leaving.reason as LimbeckError);
    leaving.addEventListener("abort", leave, { once: true });
    await worker.run().finally(() => leaving.removeEventListener("abort", leave));
  } catch (thrown) {
    if (thrown !== leaving.reason) throw thrown; // Asked to go before it had joined, it goes.
  } finally {
    services.close();
  }
}

class WorkerProcess {
  readonly #options: WorkerOptions;
  readonly #session: Session;
  readonly #services: Services;
  readonly #status: Status;
  #device: Device | null = null;
  #context: WorkerContext | null = null;
  #assignment: Assignment | null = null;
  /** Work in the order it was asked for; the message loop never waits for it, so an order to stop is heard at once. */
  #work: Promise<void> = Promise.resolve();
  #failure: LimbeckError | null = null;
  #isOver = false;

  constructor(options: WorkerOptions, session: Session, services: Services, status: Status) {
    this.#options = options;
    this.#session = session;
    this.#services = services;
    this.#status = status;
  }

  async run(): Promise<void> {
    const { name, role } = this.#options;
    const { address, host } = this.#services;
    this.#session.hello({ worker: name, role, address, host, build: packageVersion, pid: process.pid });
    try {
      for await (const message of this.#session.messages()) {
        if (message.body === "stop") break;
        this.#hear(message);
      }
    } finally {
      this.#isOver = true;
      this.#assignment?.end(new LimbeckError("stopped", "the worker stops"));
      // What waits for the compute thread is released at once; the thread itself ends with the op it is in.
      const closing = this.#device?.close();
      await this.#work;
      await this.#session.close();
      await closing;
    }
    if (this.#failure) throw this.#failure;
  }

  /** SIGTERM, or the parent has gone: say so and go. */
  leave(why: LimbeckError): void {
    this.#assignment?.end(why);
    this.#session.send({ term: this.#session.term, leaving: { why: why.message } });
    this.#session.leave();
  }

  #hear({ term, ...message }: ToWorker__Output): void {
    switch (message.body) {
      case "welcome":
        this.#session.beat(message.welcome!.heartbeatMs);
        this.#then(() => this.#prepare(message.welcome!));
        return;
      case "assign": {
        // L3. The term before is over at once, whatever it was doing.
        this.#assignment?.end(new LimbeckError("stale_term", `term ${term} has begun: ${message.assign!.why}`));
        this.#session.term = term;
        this.#then(async () => {
          const send = (report: FromWorker) => this.#session.send(report);
          const assignment = new Assignment(this.#context!, term, message.assign!, send);
          this.#assignment = assignment;
          if (this.#session.term === term) await assignment.prepare(this.#options.role);
        });
        return;
      }
      case "begin":
        this.#then(() => this.#current(term)?.begin());
        return;
      case "export":
        this.#then(() => this.#current(term)?.export(message.export!.stage));
        return;
      case "stop":
      case undefined:
        return;
    }
  }

  #current(term: number): Assignment | null {
    return this.#assignment?.term === term ? this.#assignment : null;
  }

  #then(task: () => Promise<void> | undefined): void {
    this.#work = this.#work.then(async () => {
      if (this.#failure || this.#isOver) return;
      try {
        await task();
      } catch (thrown) {
        this.#fail(asLimbeckError(thrown));
      }
    });
  }

  /** A term that was ended from outside is no failure. Anything else the coordinator must know. */
  #fail(error: LimbeckError): void {
    if (error.code === "stopped" || error.code === "stale_term") return;
    this.#failure = error;
    this.#session.send({ term: this.#session.term, failed: { code: error.code, message: error.message } });
  }

  async #prepare({ job: json, jobFolder, runFolder }: Welcome__Output): Promise<void> {
    const job = JSON.parse(json) as Job; // Checked by the coordinator, whose build is ours.
    this.#status.doing = "loading the engine and the dataset";
    // TensorFlow reads these when its library loads, which is in the compute thread, later.
    Object.assign(process.env, engineEnvironment(job.threads));
    // `limbeck run` has set it up already; on a machine of its own the worker does.
    await ensureEngine(job.engine, { log: (line) => process.stderr.write(`${line}\n`) });
    const device = new Device();
    this.#device = device;
    const [engine, dataset] = await Promise.all([
      device.ask("open", { choice: job.engine, threads: job.threads }),
      openDataset(job, jobFolder),
    ]);
    const { name } = this.#options;
    this.#context = {
      job,
      jobFolder,
      runFolder,
      name,
      dataset,
      device,
      services: this.#services,
      status: this.#status,
      trained: new Map(),
    };
    const shape = [...dataset.shape];
    const { classes, digest } = dataset;
    const examples = { trainExamples: dataset.count("train"), evaluationExamples: dataset.count(job.evaluation.split) };
    this.#session.send({
      term: 0,
      prepared: { engine: wireEngine(engine), dataset: { ...examples, classes, shape, digest } },
    });
    this.#status.doing = "waiting for work";
  }
}

function wireEngine({ tensorflowVersion, ...engine }: EngineInfo) {
  return { ...engine, tensorflowVersion: tensorflowVersion ?? "" };
}
