/**
 * A worker process: performs what core/participant.ts decides, as worker/participation.ts does, with work that takes
 * virtual time and weights that are numbers.
 */
import { asLimbeckError } from "../../core/errors.ts";
import {
  newParticipant,
  type Participant,
  type ParticipantEffect,
  type ParticipantEvent,
  type Trouble,
} from "../../core/participant.ts";
import type { ToWorker } from "../../proto/gen/limbeck/v1/ToWorker.ts";
import type { Life, Timer } from "./clock.ts";
import { beginningOf, type Membership, teachersIn, understand } from "./membership.ts";
import { type Body, Outbox } from "./outbox.ts";
import { PeerFailure, Peers } from "./peers.ts";
import type { Replica } from "./replica.ts";
import type { Saving } from "./saving.ts";
import { Session } from "./session.ts";
import { Ending, start, type Task, wait } from "./task.ts";
import { TermWork } from "./termwork.ts";
import type { World } from "./world.ts";

type Event = ParticipantEvent<Membership>;

export interface Identity {
  readonly name: string;
  readonly role: "student" | "teacher" | "auto";
  /** Times slower than others. */
  readonly slowness: () => number;
  exit(code: number, why: string): void;
}

export class WorkerProcess {
  readonly name: string;
  readonly life: Life;
  readonly peers: Peers;
  doing = "joining";
  waiting: () => string = () => "";
  readonly trained = new Map<string, number>();
  state: Participant<Membership> = newParticipant;
  readonly #world: World;
  readonly #identity: Identity;
  readonly #work: TermWork;
  readonly #session: Session;
  readonly #outbox: Outbox;
  #ending: Ending | null = null;
  #follow: ToWorker["follow"] = null;
  #exports = "";
  #isLeaving = "";

  constructor(world: World, life: Life, identity: Identity) {
    this.name = identity.name;
    this.life = life;
    this.#world = world;
    this.#identity = identity;
    this.peers = new Peers(world, this.name, life);
    this.peers.onCorrupted = (from, what) =>
      this.tell(this.state.term, { kind: "corrupted", from, what, why: "damaged" });
    this.#work = new TermWork(world, this, (event) => this.#on(event));
    this.#session = new Session(world, this, identity.role);
    this.#outbox = new Outbox(this.#session);
  }

  get nowMs(): number {
    return this.#world.clock.nowMs;
  }

  get replica(): Replica | null {
    return this.#work.replica;
  }

  get saving(): Saving {
    return this.#work.saving;
  }

  get needsTeacher(): boolean {
    return this.#work.needsTeacher;
  }

  get serving() {
    return this.#work.serving;
  }

  get slowness(): number {
    return this.#identity.slowness();
  }

  get isHeard(): boolean {
    return this.#session.isHeard;
  }

  get holds(): string[] {
    return [...this.trained.keys()];
  }

  /** L7. Never empty. */
  get reason(): string {
    return this.waiting() || this.doing;
  }

  sleep(ms: number): Task<void> {
    return wait(({ ok }) => {
      const timer: Timer = this.#world.clock.after(ms, this.life, () => ok(undefined));
      return () => timer.cancel();
    });
  }

  tell(term: number, body: Body): void {
    this.#outbox.tell(term, body);
  }

  /** To a coordinator that is back, or has come. */
  tellAgain(): void {
    const { term } = this.state;
    this.#outbox.repeat(term);
    if (this.#isLeaving) this.#session.send({ term, kind: "leaving", why: this.#isLeaving });
  }

  /** SIGTERM. */
  leave(why: string): void {
    this.#isLeaving = why;
    this.tell(this.state.term, { kind: "leaving", why });
    this.#world.clock.after(5_000, this.life, () => this.#identity.exit(0, "it has waited 5 s to be let go"));
  }

  exit(code: number, why: string): void {
    this.#identity.exit(code, why);
  }

  hear(message: ToWorker): void {
    const term = Number(message.term);
    switch (message.body) {
      case "assign": {
        const { oracle } = this.#world;
        const reader = { name: this.name, indexOf: (stage: string) => oracle.indexOf(stage) };
        const assigned = understand(term, message.assign!, reader);
        this.#on({ kind: "assigned", assigned });
        if (this.#isLeaving && !assigned.member) this.exit(0, "it is let go");
        return;
      }
      case "begin": {
        const step = this.#work.beginsAt;
        if (step !== null) this.#on({ kind: "begun", beginning: beginningOf(term, message.begin!), step });
        return;
      }
      case "teachers":
        if (term === this.state.term) this.#work.teachersAre(teachersIn(message.teachers!));
        return;
      case "follow":
        this.#follow = message.follow!;
        this.#on({ kind: "told-to-follow", term });
        return;
      case "pause":
        this.#on({ kind: "paused", term, why: message.pause!.why! });
        return;
      case "export":
        this.#exports = message.export!.stage!;
        this.#on({ kind: "told-to-export", term });
        return;
      case "checkpoint":
        if (term === this.state.term) this.#work.saveAtBoundary();
        return;
      case "stop":
        this.exit(0, `told to stop: ${message.stop!.why}`);
        return;
      case "welcome":
      case "idle":
      case undefined:
        return;
    }
  }

  fence(why: string): void {
    this.#on({ kind: "fenced", why });
  }

  #on(event: Event): void {
    const before = this.state.work.kind;
    const [next, ...effects] = this.#world.code.participate(this.state, event);
    this.state = next;
    const { work, term } = next;
    if (work.kind !== before)
      this.#world.story.tell(this.name, () => `${before} -> ${work.kind} (${event.kind}), term ${term}`);
    for (const effect of effects) this.#perform(effect);
    this.#describe(event);
    this.#world.invariants.waits(this);
  }

  #perform(effect: ParticipantEffect<Membership>): void {
    const { term } = this.state;
    switch (effect.kind) {
      case "stop":
        this.#ending?.end(effect);
        return;
      case "prepare":
        this.#start((ending) => this.#work.prepare(effect.assigned, ending));
        return;
      case "stand-by":
        this.#work.open(effect.assigned);
        return;
      case "catch-up":
        this.#start((ending) => this.#work.catchUp(effect, ending));
        return;
      case "train":
        this.#start((ending) => this.#work.train(effect.beginning, ending));
        return;
      case "follow":
        this.#start((ending) => this.#work.follow(this.state.term, this.#follow!, ending));
        return;
      case "export":
        this.#start((ending) => this.#work.export(this.state.term, this.#exports as "teach", ending));
        return;
      case "suspect":
        this.tell(term, { kind: "suspect", worker: effect.worker, why: effect.why });
        return;
      case "fail":
        this.tell(term, { kind: "failed", ...effect.trouble });
        return;
      case "forget":
        this.#work.forget();
        return;
    }
  }

  #start(work: (ending: Ending) => Task<Event>): void {
    const ending = new Ending();
    const { term } = this.state;
    this.#ending = ending;
    const ended = (event: Event) => {
      if (!this.life.isAlive) return;
      if (this.#ending === ending) this.#ending = null;
      this.#on(ending.soon.reason ? { kind: "stopped" } : event);
    };
    // Never within the decision that asked for it.
    this.#world.clock.after(0, this.life, () =>
      start(work(ending), {
        ok: ended,
        fail: (thrown) => ended({ kind: "troubled", term, trouble: troubleOf(thrown) }),
      }),
    );
  }

  #describe(event: Event): void {
    const { work, term } = this.state;
    if (work.kind === "none") this.doing = event.kind === "paused" ? `paused: ${event.why}` : "waiting for work";
    if (work.kind === "ready") this.doing = this.#work.isTeacher ? "serving soft targets" : "waiting for the others";
    if (work.kind === "serving") this.doing = "serving soft targets";
    if (work.kind === "stalled") this.doing = `waiting for the term after ${term}: ${work.why}`;
    if (work.kind === "preparing") this.doing = `preparing term ${term}`;
    if (work.kind === "stopping") this.doing = "ending the term before";
    if (work.kind === "catching-up") this.doing = `catching up to step ${work.beginning.step}`;
  }
}

function troubleOf(thrown: unknown): Trouble {
  const { code, message } = asLimbeckError(thrown);
  return thrown instanceof PeerFailure ? { code, message, about: thrown.peer } : { code, message };
}
