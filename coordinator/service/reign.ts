/** The service while this process leads: the queue's loop, from its journal on, and what comes of its decisions. */
import { EventEmitter, once } from "node:events";
import { setImmediate } from "node:timers/promises";
import { asLimbeckError, LimbeckError } from "../../core/errors.ts";
import { NotLeader } from "../../proto/notleader.ts";
import type { Log } from "../../proto/telemetry/log.ts";
import type { RpcPort } from "../rpc.ts";
import type { Served } from "../status.ts";
import { type Journal, type Leadership, serviceJournal } from "../store.ts";
import { Crowd } from "./crowd.ts";
import { isToRetire } from "./deciding.ts";
import type { ServiceMetrics } from "./metrics.ts";
import { decide } from "./queue.ts";
import { replay, snapshot, weightOf } from "./records.ts";
import { reportOf } from "./reporting.ts";
import { Runs } from "./runs.ts";
import type { Effect, Event, Happening, PhaseKind, ServiceRecord, State } from "./vocabulary.ts";

export interface ReignParts {
  readonly leadership: Leadership;
  readonly folder: string;
  readonly rpc: () => RpcPort;
  readonly served: () => Served;
  /** URL of the depot; null where all share the folder. */
  readonly depot: string | null;
  readonly metrics: ServiceMetrics;
  /** Of the store: why it cannot be decided, in a sentence; empty where nothing is known. */
  readonly trouble: () => string;
  readonly log: Log;
  readonly now: () => number;
  /** How long the store may take to empty the journal of a job that is over; 15 s if not given. */
  readonly retirePatienceMs?: number;
}

/** What a call about a job comes to. */
export interface Answer {
  readonly job: string;
  readonly phase: PhaseKind;
  readonly isNew: boolean;
  readonly why: string;
}

type AnswerEffect = Extract<Effect, { kind: "answer" | "refuse" }>;
type Call = { resolve(answer: Answer): void; reject(error: LimbeckError): void };
type Without<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;
/** A question from outside, not yet numbered. */
export type Question = Without<Extract<Happening, { call: number }>, "call">;

const tickMs = 250;
const reportMs = 1_000;
/** What a journal grows by before it is written anew, by its weight. */
const compactAfter = 2_000;
const heartbeatMs = 1_000;

function isAnswer(effect: Effect): effect is AnswerEffect {
  return effect.kind === "answer" || effect.kind === "refuse";
}

function changed(): NotLeader {
  return new NotLeader("", "the leader has changed; ask again");
}

function waitingText(trouble: string): string {
  return `the leader waits for its lease, and decides nothing now${trouble === "" ? "" : `: ${trouble}`}`;
}

export class Reign {
  readonly runs: Runs;
  readonly crowd: Crowd;
  readonly #parts: ReignParts;
  readonly #journal: Journal<ServiceRecord>;
  readonly #happenings = new EventEmitter().setMaxListeners(0);
  /** What has happened since the last decision. */
  #events: Event[] = [];
  readonly #calls = new Map<number, Call>();
  readonly #over = new AbortController();
  #state: State;
  /** Jobs that were over when this process began to lead: whoever led before may have died before it emptied their journals. */
  #unretired: string[];
  #called = 0;
  #weight: number;
  /** Weight of the last snapshot: of large ones the journal comes to twice that before it is written anew. */
  #kept = 0;

  private constructor(parts: ReignParts, journal: Journal<ServiceRecord>) {
    const { leadership, folder, rpc, served, depot, log, now, retirePatienceMs } = parts;
    this.#parts = parts;
    this.#journal = journal;
    // First, for it says which record is not as a coordinator writes it.
    this.#state = replay(journal.records);
    this.#weight = weightOf(journal.records);
    this.#unretired = [...this.#state.jobs.values()].filter(isToRetire).map(({ id }) => id);
    const over = (job: string) => this.crowd.over(job);
    const opened = () => void this.#happenings.emit("changed");
    // No decision can be kept any more.
    const deposed = (error: LimbeckError) => this.#over.abort(error);
    const heard = { opened, over, deposed };
    this.runs = new Runs({ leadership, folder, served, depot, log, now, retirePatienceMs, ...heard });
    const happen = (happening: Happening) => this.#happen(happening);
    this.crowd = new Crowd({ rpc, run: (job) => this.runs.hearing(job), happen, heartbeatMs, now });
  }

  /** Reads what earlier leaders decided; from now on nothing that an older one writes counts. */
  static async open(parts: ReignParts): Promise<Reign> {
    return new Reign(parts, await parts.leadership.journal<ServiceRecord>(serviceJournal));
  }

  /** As it is durable: while the store is away, nothing newer. */
  get state(): State {
    return this.#state;
  }

  /** Decides until another process does, or `end` is called. @returns why. Throws what cannot be gone on with. */
  async hold(): Promise<string> {
    const { leadership } = this.#parts;
    const clock = setInterval(() => this.#tick(), tickMs);
    const reports = setInterval(() => this.#report(), reportMs);
    const lost = leadership.lost.then((why) => this.#over.abort(new LimbeckError("stale_term", why)));
    void lost;
    this.#happen({ kind: "led" });
    try {
      for (;;) {
        const events = await this.#happened();
        await this.mayDecide();
        const [next, ...effects] = decide(this.#state, ...events);
        for (const effect of effects) {
          if (isAnswer(effect)) continue;
          await this.mayDecide();
          await this.#perform(effect, next);
        }
        // What is shown is durable, and whoever is answered can see it.
        this.#state = next;
        for (const effect of effects) if (isAnswer(effect)) this.#answer(effect);
        if (effects.length > 0) this.#happenings.emit("changed");
        await this.#compact();
        if (events.some(({ kind }) => kind === "tick")) await this.#retireNext();
      }
    } catch (thrown) {
      const cause = this.#over.signal.aborted ? this.#over.signal.reason : thrown;
      const error = asLimbeckError(cause);
      if (error.code !== "stale_term" && error.code !== "stopped") throw error;
      return error.message;
    } finally {
      this.#over.abort(new LimbeckError("stopped", "it decides no more"));
      clearInterval(clock);
      clearInterval(reports);
      for (const { reject } of this.#calls.values()) reject(changed());
      await this.#journal.close().catch(() => {});
    }
  }

  /** Jobs go on without this process, until it or another leads again. */
  end(why: string): void {
    this.#over.abort(new LimbeckError("stopped", why));
  }

  /** @throws LimbeckError what the queue answers, NotLeader while it waits for its lease: who asks again may find another */
  async ask(question: Question): Promise<Answer> {
    const { leadership, trouble } = this.#parts;
    if (this.#over.signal.aborted) throw changed();
    if (!leadership.holds()) throw new NotLeader("", waitingText(trouble()));
    const call = ++this.#called;
    return new Promise((resolve, reject) => {
      this.#calls.set(call, { resolve, reject });
      this.#happen({ ...question, call } as Happening);
    });
  }

  /** Aborts when this process decides no more: whatever is waited for here comes elsewhere, or later. */
  get ended(): AbortSignal {
    return this.#over.signal;
  }

  /** Resolves when something has been decided, or the signal aborts. */
  async changed(signal?: AbortSignal): Promise<void> {
    await once(this.#happenings, "changed", { signal }).catch(() => {});
  }

  /** Resolves while this process decides, when it may. @throws once it does not */
  async mayDecide(): Promise<void> {
    this.#over.signal.throwIfAborted();
    if (!this.#parts.leadership.holds()) await this.#parts.leadership.held();
  }

  #happen(happening: Happening): void {
    this.#events.push({ ...happening, atMs: this.#parts.now() });
    this.#happenings.emit("event");
  }

  /** All that is waiting: of a thousand workers that join at once each is heard, and then one decision made. */
  async #happened(): Promise<Event[]> {
    const { signal } = this.#over;
    if (this.#events.length === 0) await once(this.#happenings, "event", { signal });
    await setImmediate();
    signal.throwIfAborted();
    return this.#events.splice(0);
  }

  #tick(): void {
    this.crowd.tick();
    this.#happen({ kind: "tick" });
  }

  #report(): void {
    for (const [job, run] of this.runs.all) this.#happen({ kind: "jobReported", job, ...reportOf(run.status()) });
  }

  #answer(effect: AnswerEffect): void {
    const call = this.#calls.get(effect.call);
    this.#calls.delete(effect.call);
    if (effect.kind === "answer") call?.resolve(effect);
    else call?.reject(effect.error);
  }

  async #perform(effect: Exclude<Effect, AnswerEffect>, next: State): Promise<void> {
    const { log, leadership } = this.#parts;
    const told = (job: string, text: string) => log.info({ event: effect.kind, job }, text);
    switch (effect.kind) {
      case "journal":
        await this.#parts.metrics.journalling(this.#journal.append(effect.record));
        this.#weight += weightOf([effect.record]);
        return;
      case "startJob": {
        const job = next.jobs.get(effect.job)!;
        told(job.id, `${effect.begun ? "goes on" : "begins"}: ${effect.why}`);
        const ended = (how: Parameters<Parameters<Runs["start"]>[2]>[0]) =>
          this.#happen({ kind: "jobEnded", job: job.id, ...how });
        this.runs.start(job, this.crowd.wireOf(job.id), ended);
        return;
      }
      case "stopJob":
        told(effect.job, `is told to stop: ${effect.why}`);
        this.runs.hearing(effect.job)?.happen({ kind: "stop", why: effect.why });
        return;
      case "give":
        told(effect.job, `gets ${this.#nameOf(effect.session)}: ${effect.why}`);
        return this.crowd.give(effect.session, effect.job);
      case "take":
        told(effect.job, `gives ${this.#nameOf(effect.session)} away: ${effect.why}`);
        return this.crowd.take(effect.session, effect.why);
      case "sendOn":
        return this.crowd.sendOn(effect.session, effect.why);
      case "idle":
        return this.crowd.idle(effect.session, effect.why);
      case "retire":
        return await this.#retire(effect.job);
      case "forget":
        told(effect.job, `is forgotten: ${effect.why}`);
        return await leadership.forget(effect.job);
    }
  }

  /** Between decisions: a snapshot has all that was decided at once, and a record of that which followed it would count twice. */
  async #compact(): Promise<void> {
    if (this.#weight < compactAfter + 2 * Math.max(this.#kept, this.#state.jobs.size)) return;
    await this.mayDecide();
    const records = snapshot(this.#state);
    await this.#journal.compact(records);
    this.#kept = this.#weight = weightOf(records);
  }

  /** One at a time, for decisions wait for it. */
  async #retireNext(): Promise<void> {
    const job = this.#unretired.shift();
    // Its journal would be made anew.
    if (job === undefined || !this.#state.jobs.has(job)) return;
    await this.mayDecide();
    await this.#retire(job);
  }

  async #retire(job: string): Promise<void> {
    const isTaken = await this.runs.retire(job);
    // Each of the others would be waited for, too.
    if (!isTaken) this.#unretired = [];
  }

  #nameOf(session: number): string {
    return this.crowd.present.get(session)?.hello.worker ?? `session ${session}`;
  }
}
