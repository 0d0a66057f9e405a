/** Several real workers, and a coordinator in the hands of a test: it gives them terms, and loses or fences them. */
import { EventEmitter, on } from "node:events";
import type { TestContext } from "node:test";
import { Server, ServerCredentials, type ServerDuplexStream } from "@grpc/grpc-js";
import { deal } from "../../core/deal.ts";
import { LimbeckError } from "../../core/errors.ts";
import type { Job } from "../../core/job.ts";
import { planStages, type Stage } from "../../core/stages.ts";
import type { Assign } from "../../proto/gen/limbeck/v1/Assign.ts";
import type { FromWorker__Output } from "../../proto/gen/limbeck/v1/FromWorker.ts";
import type { Hello__Output } from "../../proto/gen/limbeck/v1/Hello.ts";
import type { ToWorker } from "../../proto/gen/limbeck/v1/ToWorker.ts";
import { packagePath } from "../../proto/package.ts";
import { statusOf } from "../../proto/status.ts";
import { coordinatorService, serverOptions } from "../../proto/wire.ts";
import { type Body, scratchFolder, startWorker, type WorkerRun } from "./foreman.ts";

type Stream = ServerDuplexStream<FromWorker__Output, ToWorker>;

/** One worker as the coordinator sees it. */
export class Actor {
  readonly name: string;
  /** All it has said, in every session. */
  readonly heard: FromWorker__Output[] = [];
  readonly run: WorkerRun;
  readonly arrivals = new EventEmitter();
  stream: Stream | null = null;
  hello: Hello__Output | null = null;

  constructor(name: string, run: WorkerRun) {
    this.name = name;
    this.run = run;
    this.arrivals.setMaxListeners(0);
  }

  send(message: ToWorker): void {
    this.stream!.write(message);
  }

  /** The first message of a kind from `since` on that will do, once it is there. */
  async hear(
    body: Body,
    will: (message: FromWorker__Output) => boolean = () => true,
    since = 0,
  ): Promise<FromWorker__Output> {
    const find = () => this.heard.slice(since).find((message) => message.body === body && will(message));
    const failed = () => this.heard.find((message) => message.body === "failed");
    const more = on(this.arrivals, "message");
    for (let found = find(); ; found = find()) {
      if (found) return found;
      if (failed()) throw new Error(`${this.name} failed: ${failed()!.failed!.message}`);
      await more.next();
    }
  }

  /** The step it has reached, at least. */
  reached(step: number): Promise<FromWorker__Output> {
    return this.hear("progress", ({ progress }) => progress!.step >= step);
  }

  /** Ends its session as a coordinator does that has given it up. */
  fence(): void {
    const { code, details, metadata } = statusOf(new LimbeckError("stale_term", "it missed its heartbeat"));
    this.stream!.emit("error", { code, details, metadata });
  }
}

export interface TermOptions extends Partial<Assign> {
  readonly stage?: Stage;
  /** Relative shares of the lanes. */
  readonly weights?: readonly number[];
  readonly teaching?: readonly Actor[];
}

export class Troupe {
  readonly job: Job;
  readonly runFolder: string;
  readonly #test: TestContext;
  readonly #actors = new Map<string, Actor>();
  #server: Server | null = null;
  #port = 0;
  term = 0;
  /** Whether a worker that says it has a term is known. */
  rejoins = false;

  constructor(test: TestContext, job: Job, runFolder = scratchFolder(test)) {
    this.#test = test;
    this.job = job;
    this.runFolder = runFolder;
    test.after(() => this.lose());
  }

  /** Listens, at the same address as before. */
  async open(): Promise<this> {
    const server = new Server(serverOptions);
    server.addService(coordinatorService, { Join: (stream: Stream) => this.#join(stream) });
    this.#port = await new Promise<number>((resolve, reject) => {
      const bound = (error: Error | null, port: number) => (error ? reject(error) : resolve(port));
      server.bindAsync(`127.0.0.1:${this.#port}`, ServerCredentials.createInsecure(), bound);
    });
    this.#server = server;
    return this;
  }

  /** The coordinator is gone, as if it were killed. */
  lose(): void {
    this.#server?.forceShutdown();
    this.#server = null;
  }

  /** Starts workers and waits until they are prepared. */
  async hire(...names: string[]): Promise<Actor[]> {
    const actors = names.map((name) => {
      const run = startWorker(this.#test, `127.0.0.1:${this.#port}`, "--name", name);
      const actor = new Actor(name, run);
      this.#actors.set(name, actor);
      return actor;
    });
    await Promise.all(actors.map((actor) => actor.hear("prepared")));
    return actors;
  }

  /** Opens a term with these students and waits until they are ready. */
  async assign(students: readonly Actor[], options: TermOptions = {}): Promise<FromWorker__Output[]> {
    const { stage = "teach", weights, teaching = [], ...rest } = options;
    const term = ++this.term;
    const plan = planStages(this.job, this.job.dataset.limit!).find((each) => each.stage === stage)!;
    const shares = deal(
      this.job.lanes.count,
      students.map(({ name }, at) => ({ name, weight: weights?.[at] ?? 1 })),
    );
    const members = students.map(({ name, hello }, at) => ({
      worker: name,
      address: hello!.address,
      host: hello!.host,
      ...{ firstLane: shares[at]!.firstLane, lanes: shares[at]!.lanes },
    }));
    const teachers = teaching.map(({ name, hello }) => ({ worker: name, address: hello!.address, host: hello!.host }));
    const assign = { stage, steps: plan.steps, students: members, teachers, teacherSha256: "", why: "a test" };
    for (const actor of [...students, ...teaching])
      actor.send({ term, assign: { ...assign, ...rest }, body: "assign" });
    const ready = (actor: Actor) => actor.hear("ready", (message) => message.term === term);
    await Promise.all(teaching.map(ready));
    return await Promise.all(students.map(ready));
  }

  /** Begins where the furthest stands. Tells who is behind and by how much. */
  begin(students: readonly Actor[], readies: readonly FromWorker__Output[]): { step: number; behind: number[] } {
    const steps = readies.map(({ ready }) => ready!.step);
    const step = Math.max(...steps);
    const sources = students.filter((_, at) => steps[at] === step).map(({ name }) => name);
    const sumSources = students
      .filter((_, at) => steps[at] === step && readies[at]!.ready!.hasSum)
      .map(({ name }) => name);
    for (const actor of students) {
      actor.send({ term: this.term, begin: { step, sources, sumSources, evaluate: false }, body: "begin" });
    }
    return { step, behind: steps.map((each) => step - each) };
  }

  async start(students: readonly Actor[], options: TermOptions = {}): Promise<{ step: number; behind: number[] }> {
    return this.begin(students, await this.assign(students, options));
  }

  /** sha256 of the weights at the end of the stage, the same for all. */
  async finish(students: readonly Actor[]): Promise<string> {
    const done = await Promise.all(
      students.map((actor) => actor.hear("stageDone", (message) => message.term === this.term)),
    );
    const digests = new Set(done.map(({ stageDone }) => stageDone!.weightsSha256));
    if (digests.size > 1) throw new Error(`students differ: ${[...digests].join(" ")}`);
    return [...digests][0]!;
  }

  #join(stream: Stream): void {
    let actor: Actor | undefined;
    stream.on("data", (message: FromWorker__Output) => {
      if (message.hello) {
        actor = this.#actors.get(message.hello.worker)!;
        const rejoined = this.rejoins && message.hello.instance === actor.hello?.instance;
        actor.stream = stream;
        actor.hello = message.hello;
        const { job, runFolder } = this;
        const folders = { jobFolder: packagePath("examples"), runFolder };
        const welcome = { job: JSON.stringify(job), ...folders, heartbeatMs: 50, role: "student", rejoined };
        stream.write({ term: this.term, welcome, body: "welcome" });
      }
      actor?.heard.push(message);
      actor?.arrivals.emit("message");
    });
    stream.on("end", () => stream.end());
    stream.on("error", () => {});
  }
}
