/** The workers of the cluster: whose session's messages go to which job, and who waits for one. */
import { LimbeckError } from "../../core/errors.ts";
import type { ToWorker } from "../../proto/gen/limbeck/v1/ToWorker.ts";
import type { JobRun, Wire } from "../jobrun.ts";
import type { MessageOf, WorkerMessage } from "../messages.ts";
import type { RpcPort, SessionHost } from "../rpc.ts";
import type { Happening } from "./vocabulary.ts";

/** A session that has said who it is. */
export interface Present {
  readonly hello: MessageOf<"hello">;
  /** Id of the job its messages go to; null while it has none. */
  readonly job: string | null;
  readonly heardMs: number;
}

export interface CrowdParts {
  readonly rpc: () => RpcPort;
  /** Of a job that runs here. */
  readonly run: (job: string) => JobRun | undefined;
  readonly happen: (happening: Happening) => void;
  readonly heartbeatMs: number;
  readonly now: () => number;
}

/** L7. Silence after which a worker that has no job is lost; one that has is its job's concern. */
const silenceMs = 5_000;

export class Crowd implements SessionHost {
  readonly #parts: CrowdParts;
  readonly #present = new Map<number, Present>();
  /** Session of each worker that is present, by its name. */
  readonly #sessions = new Map<string, number>();

  constructor(parts: CrowdParts) {
    this.#parts = parts;
  }

  /** By session. */
  get present(): ReadonlyMap<number, Present> {
    return this.#present;
  }

  heard(session: number, message: WorkerMessage): void {
    if (message.kind === "hello") {
      this.#greet(session, message);
      return;
    }
    const present = this.#present.get(session);
    if (!present) return;
    this.#present.set(session, { ...present, heardMs: this.#parts.now() });
    this.#runOf(present)?.happen({ kind: "message", session, message });
  }

  broken(session: number, why: string): void {
    const present = this.#present.get(session);
    if (!present) return;
    this.#remove(session, present);
    this.#runOf(present)?.happen({ kind: "broken", session, why });
    this.#parts.happen({ kind: "workerGone", session, why });
  }

  /** The job hears the worker's Hello, and all it says from now on. */
  give(session: number, job: string): void {
    const present = this.#present.get(session);
    if (!present) return;
    this.#present.set(session, { ...present, job });
    const { hello } = present;
    const run = this.#parts.run(job);
    if (!run) {
      this.#sendOn(session, `${job} is over`);
      return;
    }
    // What it has of another job is nothing to this one.
    const message = hello.job === job ? hello : { ...hello, term: 0, holds: [] };
    run.happen({ kind: "message", session, message });
  }

  /** It joins again, for another job. */
  #sendOn(session: number, why: string): void {
    this.#parts.rpc().send(session, { term: 0, stop: { why, again: true }, body: "stop" });
    this.#parts.happen({ kind: "workerReleased", session });
  }

  /** Its job hears, in its name, that it leaves: others take over its lanes first. */
  take(session: number, why: string): void {
    const run = this.#runOf(this.#present.get(session));
    run?.happen({ kind: "message", session, message: { kind: "leaving", term: run.term(), why } });
  }

  idle(session: number, why: string): void {
    const present = this.#present.get(session);
    if (!present) return;
    this.#present.set(session, { ...present, job: null });
    const idle = { heartbeatMs: this.#parts.heartbeatMs, why };
    this.#parts.rpc().send(session, { term: 0, idle, body: "idle" });
  }

  /** How a job reaches its workers: none of them is told to end for good. */
  wireOf(job: string): Wire {
    const { rpc, happen } = this.#parts;
    return {
      send: (session, message) => {
        // Who was given to another meanwhile is not its any more.
        if (this.#present.get(session)?.job !== job) return;
        rpc().send(session, ofMany(message));
        if (message.body === "stop") happen({ kind: "workerReleased", session });
      },
      refuse: (session, error, as) => {
        const present = this.#present.get(session);
        if (present?.job !== job) return;
        if (as === "late") return this.#sendOn(session, error.message);
        this.#remove(session, present);
        rpc().refuse(session, error);
        // Who does not fit this job may fit others.
        if (as === "misfit") happen({ kind: "workerRefused", session, why: error.message });
        happen({ kind: "workerGone", session, why: error.message });
      },
    };
  }

  tick(): void {
    const atMs = this.#parts.now();
    for (const [session, { job, heardMs, hello }] of this.#present) {
      if (job !== null || atMs - heardMs <= silenceMs) continue;
      const why = `${hello.worker} missed its heartbeat for ${((atMs - heardMs) / 1_000).toFixed(1)} s`;
      this.#parts.rpc().refuse(session, new LimbeckError("stale_term", why));
      this.broken(session, why);
    }
  }

  #greet(session: number, hello: MessageOf<"hello">): void {
    const { now, heartbeatMs, happen, rpc } = this.#parts;
    const other = this.#sessions.get(hello.worker);
    const before = other === undefined ? undefined : this.#present.get(other);
    if (other !== undefined && before) {
      const { hello: theirs, heardMs } = before;
      const isWell = theirs.life !== hello.life;
      if (isWell && now() - heardMs <= 2 * heartbeatMs) {
        const message = `a worker named ${hello.worker} has joined already: choose another --name`;
        rpc().refuse(session, new LimbeckError("usage", message));
        return;
      }
      // What either side said last may be lost with the session that broke.
      rpc().refuse(other, new LimbeckError("stale_term", `${hello.worker} has another session`));
      this.broken(other, "its session broke off");
    }
    this.#present.set(session, { hello, job: null, heardMs: now() });
    this.#sessions.set(hello.worker, session);
    const { worker, role, job } = hello;
    happen({ kind: "workerJoined", session, worker, instance: hello.life, role, job });
  }

  #remove(session: number, { hello }: Present): void {
    this.#present.delete(session);
    if (this.#sessions.get(hello.worker) === session) this.#sessions.delete(hello.worker);
  }

  #runOf(present: Present | undefined): JobRun | undefined {
    return present?.job ? this.#parts.run(present.job) : undefined;
  }
}

/** As a coordinator says it that has other jobs, too. */
function ofMany(message: ToWorker): ToWorker {
  switch (message.body) {
    case "welcome":
      return { ...message, welcome: { ...message.welcome, again: true } };
    case "stop":
      return { ...message, stop: { ...message.stop, again: true } };
    default:
      return message;
  }
}
