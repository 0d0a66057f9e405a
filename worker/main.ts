/** A worker process: keeps a session with the coordinator, prepares, and takes part in the job until it is told to stop. */
import { randomUUID } from "node:crypto";
import { setTimeout } from "node:timers/promises";
import { asLimbeckError, LimbeckError, type LimbeckErrorCode } from "../core/errors.ts";
import { reachedAt } from "../proto/endpoint.ts";
import type { ToWorker__Output } from "../proto/gen/limbeck/v1/ToWorker.ts";
import type { Welcome__Output } from "../proto/gen/limbeck/v1/Welcome.ts";
import type { Serves } from "../proto/health.ts";
import { NotLeader } from "../proto/notleader.ts";
import { packageVersion } from "../proto/package.ts";
import { alive, servePages } from "../proto/telemetry/http.ts";
import type { HttpAccess } from "../proto/telemetry/httpaccess.ts";
import type { Log } from "../proto/telemetry/log.ts";
import { patienceMs, type Whereabouts } from "../proto/whereabouts.ts";
import type { Device } from "./compute/device.ts";
import { newStatus } from "./context.ts";
import { watchGpus } from "./gpus.ts";
import { heed, type Leaders, noLeader } from "./leaders.ts";
import { lifeOf } from "./life.ts";
import { WorkerMetrics } from "./metrics.ts";
import { Outbox } from "./outbox.ts";
import { Participation } from "./participation.ts";
import { adopt, openDevice, type Preparation, prepareWorker, type Role } from "./preparation.ts";
import { openServices, type Services } from "./services.ts";
import { joinCoordinator, type Session, SessionBroken, type Tried } from "./session.ts";

export interface WorkerOptions {
  readonly coordinator: Whereabouts;
  readonly role: Role;
  readonly name: string;
  readonly listen: { readonly host: string; readonly port: number };
  /** Where other workers are told to find this one; where it listens, if not given. */
  readonly advertise?: { readonly host: string; readonly port: number };
  /** Where it serves its metrics. */
  readonly http: { readonly host: string; readonly port: number };
  /** Who may read that; whoever reaches it, if not given. */
  readonly access?: HttpAccess | undefined;
  /** How long it looks for a coordinator, the first and later ones; if not given, ten minutes, and for the first at an address 20 s. */
  readonly patienceMs?: number;
  /** Told whether it takes work, for whoever restarts it. */
  readonly health?: (serves: Serves) => void;
  readonly log: Log;
}

/** For the first session with a coordinator that is at an address; one that is elected may be yet to come. */
const joinMs = 20_000;
/** Before it is told that nobody leads. */
const toldAfterMs = 1_000;
/** How long it works on after it has said that it leaves. */
const leavingMs = 5_000;
/** Failures that another job need not have. */
const jobsOwn: ReadonlySet<LimbeckErrorCode> = new Set(["usage", "bad_job", "bad_data", "bad_model", "diverged"]);
/** Between two questions, where nobody leads. */
const redirectMs = 200;
/** How long it waits to be told to stop after it has said that it failed. */
const failedMs = 5_000;

/**
 * Runs until the coordinator says stop, or `leaving` asks the worker to go; gives all back before it returns.
 * Throws what it failed of, after it told the coordinator.
 * @returns true where the coordinator has, or may get, other jobs. A process takes one: TensorFlow's threads are set once.
 */
export async function runWorker(options: WorkerOptions, leaving: AbortSignal): Promise<boolean> {
  const { listen, advertise, log } = options;
  const metrics = new WorkerMetrics();
  const { security } = options.coordinator;
  const own = { listen, ...(advertise && { advertise }), ...(security && { security }) };
  const services = await openServices({ ...own, metrics, log });
  const pages = { "/metrics": metrics.page(services), "/healthz": alive };
  const closing: (() => unknown)[] = [() => services.close()];
  try {
    const http = await servePages(options.http, pages, { access: options.access });
    closing.push(
      () => http.close(),
      watchGpus((gpus) => metrics.gpus(gpus)),
    );
    options.health?.("SERVING");
    // Whoever listens on all addresses is found where its other services are.
    const found = { services, metrics, http: reachedAt(http.address, (advertise ?? listen).host) };
    return await new WorkerProcess(options, found).run(leaving);
  } finally {
    for (const close of closing) await close();
  }
}

interface Found {
  readonly services: Services;
  readonly metrics: WorkerMetrics;
  /** host:port of its metrics, as others are told. */
  readonly http: string;
}

class WorkerProcess {
  readonly #options: WorkerOptions;
  readonly #found: Found;
  readonly #status = newStatus("joining");
  readonly #outbox = new Outbox();
  /** Aborted when it is to go. */
  readonly #over = new AbortController();
  /** Of this life: a coordinator that is back knows it by it, one that has given it up does not. */
  #instance = randomUUID();
  #session: Session | null = null;
  #device: Device | null = null;
  #preparation: Preparation | null = null;
  #participation: Participation | null = null;
  /** Welcomes in order; the message loop never waits for what they ask for, so an order to stop is heard at once. */
  #welcoming: Promise<void> = Promise.resolve();
  #failure: LimbeckError | null = null;
  #isLeaving = false;
  #leaders: Leaders = noLeader;
  /** A coordinator has spoken to it. */
  #isKnown = false;
  /** Id of the job it works for, where the coordinator is a service. */
  #job = "";
  /** The coordinator has, or may get, other jobs. */
  #isService = false;
  /** What the last coordinator that stood by said. */
  #turnedAway = "";
  /** It was told that the first coordinator is waited for. */
  #isToldToWait = false;
  /** Why somebody who listened was not reached the last time. */
  #problem = "";
  /** It is told to join again. */
  #isWanted = false;

  constructor(options: WorkerOptions, found: Found) {
    this.#options = options;
    this.#found = found;
    const { services } = found;
    this.#status.serving = () => {
      const { examples, busySeconds, waitingExamples } = services.softTargets.counts;
      return { servedExamples: examples, servingSeconds: busySeconds, queuedExamples: waitingExamples };
    };
  }

  /** @returns true where the job is over for it, and it is to join again for others */
  async run(leaving: AbortSignal): Promise<boolean> {
    const leave = () => this.#leave((leaving.reason as LimbeckError).message);
    leaving.addEventListener("abort", leave, { once: true });
    if (leaving.aborted) leave();
    try {
      while (!this.#over.signal.aborted && (await this.#holdSession()));
    } finally {
      leaving.removeEventListener("abort", leave);
      this.#over.abort();
      // What waits for the compute thread is released at once; the thread itself ends with the op it is in.
      const closing = this.#device?.close();
      await this.#participation?.end("the worker stops");
      await this.#welcoming;
      await this.#session?.close();
      await closing;
    }
    if (this.#failure && !this.#isJobs(this.#failure)) throw this.#failure;
    if (this.#failure) return !this.#isLeaving;
    return this.#isWanted && !this.#isLeaving;
  }

  /** One session from its beginning to its end. False where it was the last. */
  async #holdSession(): Promise<boolean> {
    let moved = () => {};
    try {
      const calls = { signal: this.#over.signal, interceptors: this.#found.metrics.interceptors };
      this.#session = await joinCoordinator(this.#options.coordinator, this.#isTooLate, calls);
      const session = this.#session;
      moved = this.#options.coordinator.onMoved((address) => {
        if (address !== session.address) session.breakOff(`the coordinator at ${address} decides now`);
      });
      this.#hello(session);
      for await (const message of session.messages()) {
        this.#heed(message);
        if (message.body === "stop") {
          this.#log("stopped", message.stop!.why);
          this.#isWanted = message.stop!.again;
          return false;
        }
        this.#hear(message);
      }
      return false;
    } catch (thrown) {
      if (this.#over.signal.aborted) return false;
      if (thrown instanceof NotLeader) return await this.#redirect(thrown);
      const isFenced = thrown instanceof LimbeckError && thrown.code === "stale_term";
      if (!isFenced && !(thrown instanceof SessionBroken)) {
        if (!this.#isJobs(asLimbeckError(thrown))) throw thrown;
        this.#log("refused", asLimbeckError(thrown).message, "warn");
        this.#isWanted = true;
        return false;
      }
      if (this.#failure) return false;
      this.#outbox.close();
      const next = isFenced ? "joining anew" : `waiting for the coordinator at ${this.#options.coordinator.where}`;
      this.#log("session-broken", `${thrown.message}; ${next}`, "warn");
      if (isFenced) this.#beginAnew(thrown.message);
      if (this.#isLeaving) return false;
      await this.#closeSession();
      return true;
    } finally {
      moved();
    }
  }

  async #closeSession(): Promise<void> {
    const broken = this.#session;
    this.#session = null;
    await broken?.close();
  }

  /** The coordinator stands by: it knows who decides, or waits for that, too. */
  async #redirect({ leader, message }: NotLeader): Promise<boolean> {
    this.#options.coordinator.tried(leader);
    if (message !== this.#turnedAway) this.#log("redirected", message);
    this.#turnedAway = message;
    this.#outbox.close();
    await this.#closeSession();
    if (leader === "") await setTimeout(redirectMs, undefined, { signal: this.#over.signal }).catch(() => {});
    return !this.#isLeaving && !this.#over.signal.aborted;
  }

  /** L3. @throws SessionBroken where an older leader speaks, `stale_term` where for long there was none but older ones */
  #heed({ fence }: ToWorker__Output): void {
    const { fence: highest } = this.#leaders;
    const [leaders, how] = heed(this.#leaders, fence, performance.now());
    this.#leaders = leaders;
    switch (how) {
      case "obeyed":
        if (fence > highest) this.#logLeader(fence);
        return;
      case "replaced":
        throw new SessionBroken("unavailable", `leader ${fence} has been replaced by ${highest}`);
      case "anew": {
        const why = `of leader ${highest} nothing was heard any more: the store has lost what it had, and counts anew`;
        throw new LimbeckError("stale_term", why);
      }
    }
  }

  #logLeader(fence: number): void {
    const at = { event: "leader", fence, term: this.#term, step: this.#status.step };
    this.#options.log.info(at, `leader ${fence} decides`);
  }

  /** What it failed of, or was refused for, is one job's of a service: another may do. */
  #isJobs({ code }: LimbeckError): boolean {
    return this.#isService && jobsOwn.has(code);
  }

  /** At an address not for long before the first session; later for as long as there is work, and ten minutes where there is none. */
  readonly #isTooLate = ({ ms, problem }: Tried): boolean => {
    if (problem !== this.#problem && problem !== "") this.#log("not-reached", problem, "warn");
    this.#problem = problem;
    // Who has never been let in will not be by waiting; who has been may meet a certificate that is being renewed.
    if (!this.#isKnown && problem !== "") return true;
    const { coordinator, patienceMs: told } = this.#options;
    const { isElected, where } = coordinator;
    const longestMs = told ?? (this.#isKnown || isElected ? patienceMs : joinMs);
    if (!this.#isKnown && longestMs > joinMs && ms > toldAfterMs && !this.#isToldToWait) {
      this.#log("waiting", `waiting for ${where}, ${longestMs / 1_000} s at the most: nobody answers yet`, "warn");
      this.#isToldToWait = true;
    }
    return ms > longestMs && !this.#participation?.isWorking;
  };

  #hello(session: Session): void {
    const { name: worker, role } = this.#options;
    const { services, http } = this.#found;
    const { address, host } = services;
    const term = this.#term;
    const holds = this.#participation?.holds ?? [];
    const life = { build: packageVersion, pid: process.pid, instance: this.#instance };
    const job = this.#job;
    session.send({ term, hello: { worker, role, address, host, http, ...life, holds, job, life: lifeOf() } });
  }

  #hear(message: ToWorker__Output): void {
    this.#isKnown = true;
    if (message.body === "idle") {
      this.#status.doing = `idle: ${message.idle!.why}`;
      this.#session!.beat(message.idle!.heartbeatMs, () => 0, this.#status);
      return;
    }
    if (message.body !== "welcome") {
      this.#participation?.hear(message);
      return;
    }
    const welcome = message.welcome!;
    const session = this.#session!;
    this.#job = welcome.jobId;
    this.#isService = welcome.again;
    session.beat(welcome.heartbeatMs, () => this.#term, this.#status);
    this.#welcoming = this.#welcoming
      .then(() => this.#beWelcomed(welcome, session))
      .catch((thrown) => this.#fail(asLimbeckError(thrown)));
  }

  async #beWelcomed(welcome: Welcome__Output, session: Session): Promise<void> {
    if (this.#failure || this.#over.signal.aborted) return;
    if (this.#preparation) adopt(this.#preparation.context, welcome);
    else this.#participation = await this.#prepare(welcome);
    if (session !== this.#session) return; // It broke meanwhile; the next one has a welcome of its own.
    const participation = this.#participation!;
    // It is new to this coordinator, which has just taken it by this instance.
    if (!welcome.rejoined && participation.term > 0) this.#forgetTerm("the coordinator does not know its term");
    this.#outbox.open(session);
    session.send({ term: participation.term, prepared: this.#preparation!.prepared });
    this.#outbox.repeat();
  }

  async #prepare(welcome: Welcome__Output): Promise<Participation> {
    this.#device ??= openDevice(welcome);
    const { name, role } = this.#options;
    const { services, metrics } = this.#found;
    const own = { name, role, services, status: this.#status, device: this.#device, metrics, log: this.#options.log };
    this.#preparation = await prepareWorker(welcome, own);
    this.#status.doing = "waiting for work";
    return new Participation(this.#preparation.context, {
      send: (message) => this.#outbox.send(message),
      isHeard: () => this.#outbox.isOpen,
      fail: (error) => this.#fail(error),
      changed: () => {
        if (this.#isLeaving && this.#participation?.isIdle) this.#go();
      },
    });
  }

  /** The newest term heard of; 0 before the first. */
  get #term(): number {
    return this.#participation?.term ?? 0;
  }

  /** SIGTERM, or the parent has gone: others take over its place first, where it has one. */
  #leave(why: string): void {
    this.#isLeaving = true;
    this.#options.health?.("NOT_SERVING");
    const isMember = this.#participation?.isMember ?? false;
    this.#session?.send({ term: this.#term, leaving: { why } });
    this.#status.doing = `leaving: ${why}`;
    this.#log("leaving", why);
    if (!isMember || !this.#outbox.isOpen) this.#go();
    else globalThis.setTimeout(() => this.#go(), leavingMs).unref();
  }

  /** Ends the session, and with it the process. */
  #go(): void {
    this.#over.abort(new LimbeckError("stopped", "the worker goes"));
    this.#session?.leave();
  }

  #beginAnew(why: string): void {
    this.#instance = randomUUID();
    this.#forgetTerm(why);
  }

  #forgetTerm(why: string): void {
    this.#outbox.forget();
    this.#participation?.fence(why);
  }

  #fail(error: LimbeckError): void {
    // What was closed under it, when the worker went, is no failure.
    if (this.#failure || this.#over.signal.aborted) return;
    this.#failure = error;
    this.#log("failed", error.message, "error");
    this.#session?.send({ term: this.#term, failed: { code: error.code, message: error.message } });
    globalThis.setTimeout(() => this.#go(), failedMs).unref();
  }

  #log(event: string, why: string, level: "info" | "warn" | "error" = "info"): void {
    this.#options.log[level]({ event, term: this.#term, step: this.#status.step }, why);
  }
}
