/** Performs what core/participant.ts decides: the work of one life of a worker, from its first term to its fence. */
import { asLimbeckError, LimbeckError } from "../core/errors.ts";
import {
  isMember,
  newParticipant,
  type Participant,
  type ParticipantEffect,
  type ParticipantEvent,
  participate,
  type Trouble,
} from "../core/participant.ts";
import type { Stage } from "../core/stages.ts";
import type { Export__Output } from "../proto/gen/limbeck/v1/Export.ts";
import type { Follow__Output } from "../proto/gen/limbeck/v1/Follow.ts";
import type { FromWorker } from "../proto/gen/limbeck/v1/FromWorker.ts";
import type { ToWorker__Output } from "../proto/gen/limbeck/v1/ToWorker.ts";
import type { WorkerContext } from "./context.ts";
import type { Dataset } from "./data/dataset.ts";
import { logDecision } from "./decisionlog.ts";
import { describe } from "./doing.ts";
import { Ending } from "./ending.ts";
import { PeerFailure } from "./exchange/peerfailure.ts";
import { type Membership, understand } from "./membership.ts";
import { TermWork } from "./termwork.ts";

type Event = ParticipantEvent<Membership>;

/** What of the worker's life the work does not know. */
export interface Surroundings {
  /** To the coordinator, now or when there is one again. */
  send(message: FromWorker): void;
  isHeard(): boolean;
  /** Nothing another term could mend. */
  fail(error: LimbeckError): void;
  /** What it does now is something else. */
  changed(): void;
}

/** Whose it is has been looked at. */
type Order = Omit<ToWorker__Output, "fence">;

export class Participation {
  readonly #context: WorkerContext<Dataset | null>;
  readonly #around: Surroundings;
  readonly #work: TermWork;
  #state: Participant<Membership> = newParticipant;
  /** Of the work in flight. */
  #ending: Ending | null = null;
  #done: Promise<void> = Promise.resolve();
  /** The last order of each kind: what it asks for may have to wait until other work has stopped. */
  #follow: Follow__Output | null = null;
  #exports: Export__Output | null = null;

  constructor(context: WorkerContext<Dataset | null>, around: Surroundings) {
    this.#context = context;
    this.#around = around;
    this.#work = new TermWork(context, {
      term: () => this.#state.term,
      on: (event) => this.#on(event),
      send: (message) => around.send(message),
      isHeard: () => around.isHeard(),
    });
  }

  get term(): number {
    return this.#state.term;
  }

  get isMember(): boolean {
    return isMember(this.#state);
  }

  /** It goes on without a coordinator. */
  get isWorking(): boolean {
    const { kind } = this.#state.work;
    return kind === "training" || kind === "catching-up" || kind === "exporting";
  }

  get isIdle(): boolean {
    return this.#state.work.kind === "none";
  }

  /** Stages whose trained weights it has. */
  get holds(): Stage[] {
    return this.#work.holds;
  }

  /** An order of the coordinator; those of older terms have no effect (L3). */
  hear({ term, ...order }: Order): void {
    try {
      this.#hear(term, order);
    } catch (thrown) {
      this.#around.fail(asLimbeckError(thrown));
    }
  }

  /** The coordinator does not know this life any more. */
  fence(why: string): void {
    this.#on({ kind: "fenced", why });
  }

  /** The worker goes: what waits is woken, what runs stops after its op. */
  async end(why: string): Promise<void> {
    this.#ending?.end({ planned: false, why });
    this.#context.services.softTargets.stop();
    await this.#done;
    await this.#work.close();
  }

  #hear(term: number, order: Omit<Order, "term">): void {
    switch (order.body) {
      case "assign": {
        this.#on({ kind: "assigned", assigned: understand(term, order.assign!, this.#context) });
        return;
      }
      case "begin": {
        const step = this.#work.beginsAt;
        if (step !== null) this.#on({ kind: "begun", beginning: { term, ...order.begin! }, step });
        return;
      }
      case "teachers":
        if (term === this.#state.term) this.#work.teachersAre(order.teachers!.teachers);
        return;
      case "follow":
        this.#follow = order.follow!;
        this.#on({ kind: "told-to-follow", term });
        return;
      case "pause":
        this.#on({ kind: "paused", term, why: order.pause!.why });
        return;
      case "export":
        this.#exports = order.export!;
        this.#on({ kind: "told-to-export", term });
        return;
      case "checkpoint":
        if (term === this.#state.term) this.#saveCheckpoint();
        return;
      case "welcome":
      case "stop":
      case "idle":
      case undefined:
        return;
    }
  }

  #on(event: Event): void {
    const before = this.#state.work.kind;
    const [next, ...effects] = participate(this.#state, event);
    this.#state = next;
    for (const effect of effects) {
      const at = { term: this.#state.term, step: this.#work.step ?? 0, exports: this.#exports?.stage ?? "" };
      logDecision(this.#context.log, effect, at);
      this.#perform(effect);
    }
    if (next.work.kind === before && effects.length === 0) return;
    const { status } = this.#context;
    status.step = this.#work.step ?? 0;
    describe(status, this.#state, { event, teaching: this.#work.teaching });
    this.#around.changed();
  }

  #perform(effect: ParticipantEffect<Membership>): void {
    const { term } = this.#state;
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
        this.#start((ending) => this.#work.catchUp(effect.how, effect.beginning, ending));
        return;
      case "train":
        this.#start((ending) => this.#work.train(effect.beginning, ending));
        return;
      case "follow":
        this.#start((ending) => this.#work.follow(term, this.#follow!, ending));
        return;
      case "export":
        this.#start((ending) => this.#work.export(term, this.#exports!, ending));
        return;
      case "suspect":
        this.#work.tell({ suspect: { worker: effect.worker, why: effect.why } });
        return;
      case "fail":
        this.#around.fail(new LimbeckError(effect.trouble.code, effect.trouble.message));
        return;
      case "forget":
        this.#work.forget();
        return;
    }
  }

  /** Runs work that ends with what became of it. Told to end, it says no more than that it has. */
  #start(work: (ending: Ending) => Promise<Event>): void {
    const ending = new Ending();
    const { term } = this.#state;
    this.#ending = ending;
    this.#done = work(ending)
      .catch((thrown): Event => ({ kind: "troubled", term, trouble: troubleOf(thrown) }))
      .then((event) => {
        this.#ending = null;
        this.#on(ending.soon.aborted ? { kind: "stopped" } : event);
      });
  }

  /** After the step in flight, or at once where no work is. */
  #saveCheckpoint(): void {
    if (this.#state.work.kind === "training") this.#work.saveAtBoundary();
    else if (!this.#ending) this.#work.save().catch((thrown) => this.#around.fail(asLimbeckError(thrown)));
  }
}

function troubleOf(thrown: unknown): Trouble {
  const { code, message } = asLimbeckError(thrown);
  return thrown instanceof PeerFailure ? { code, message, about: thrown.peer } : { code, message };
}
