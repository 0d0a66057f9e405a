/** A job's life in one process, as coordinator/run.ts and jobrun.ts: one effect after another, each only where it may decide. */
import type { JournalRecord } from "../../coordinator/journalrecord.ts";
import type { Effect, Event, Happening, Next, Outcome, State } from "../../coordinator/state.ts";
import { waitOf } from "../../coordinator/waiting.ts";
import { asLimbeckError, type LimbeckError } from "../../core/errors.ts";
import type { ToWorker } from "../../proto/gen/limbeck/v1/ToWorker.ts";
import type { Life, Moment } from "./clock.ts";
import type { World } from "./world.ts";

const tickMs = 100;

export interface Shell {
  readonly name: string;
  readonly life: Life;
  /** Of its clock, against the true one. */
  readonly rate: number;
  /** Unix time, by its clock. */
  nowMs(): number;
  /** Goes on when this process may decide, at once where it may. */
  mayDecide(then: () => void): void;
  /** Goes on when the record is durable. */
  append(record: JournalRecord, then: () => void): void;
  send(session: number, message: ToWorker): void;
  refuse(session: number, error: LimbeckError): void;
  ended(outcome: Outcome): void;
}

export class JobRun {
  state: State;
  readonly #world: World;
  readonly #shell: Shell;
  #effects: Effect[] = [];
  readonly #events: Event[] = [];
  #isBusy = false;
  #isWorking = false;
  #isOver = false;

  constructor(world: World, shell: Shell, [state, ...effects]: Next) {
    this.#world = world;
    this.#shell = shell;
    this.state = state;
    this.#effects.push(...effects);
    this.#tick();
  }

  get why(): string {
    if (this.state.kind === "ended") return "nothing: it has ended";
    const wait = waitOf(this.#world.scene.plan, this.state);
    return `${this.state.kind} term ${this.state.term}, waits for ${wait.for.join(", ")}: ${wait.why}`;
  }

  happen(happening: Happening): void {
    if (this.#isOver) return;
    this.#events.push({ ...happening, atMs: this.#shell.nowMs() });
    this.#work();
  }

  /** What it began with is performed now, not with what happens first. */
  begin(): void {
    this.#work();
  }

  /** Another decides now: nothing more is done here (L3). */
  stop(): void {
    this.#isOver = true;
  }

  #tick(): void {
    const { life, rate } = this.#shell;
    this.#world.clock.after(tickMs / rate, life, () => {
      if (this.#isOver) return;
      this.happen({ kind: "tick" });
      this.#tick();
    });
  }

  #work(): void {
    if (this.#isWorking) return;
    this.#isWorking = true;
    while (!this.#isBusy && !this.#isOver && this.#shell.life.isAlive) {
      const effect = this.#effects.shift();
      const event = effect ? null : this.#events.shift();
      if (effect) this.#whenItMay(effect.kind === "journal" ? "writing" : "acting", () => this.#perform(effect));
      else if (event) this.#whenItMay("acting", () => this.#act(this.#decide(event)));
      else break;
    }
    this.#isWorking = false;
  }

  /** A process may stand still between the question and what it does then. */
  #whenItMay(moment: Moment, what: () => void): void {
    const { life } = this.#shell;
    this.#isBusy = true;
    this.#shell.mayDecide(() => {
      life.reach(moment);
      life.do(() => {
        if (this.#isOver) return;
        this.#isBusy = false;
        what();
        this.#work();
      });
    });
  }

  #decide(event: Event): Next {
    const { plan } = this.#world.scene;
    try {
      const next = this.#world.code.step(plan, this.state, event);
      this.#world.invariants.decided(plan, this.state, event, next);
      return next;
    } catch (thrown) {
      if (this.#world.invariants.violation) throw thrown;
      return this.#world.code.step(plan, this.state, {
        kind: "trouble",
        atMs: event.atMs,
        error: asLimbeckError(thrown),
      });
    }
  }

  #act([state, ...effects]: Next): void {
    this.state = state;
    this.#effects.push(...effects);
  }

  #perform(effect: Effect): void {
    const { story, invariants, scene } = this.#world;
    const { name } = this.#shell;
    switch (effect.kind) {
      case "send":
        this.#shell.send(effect.session, effect.message);
        return;
      case "refuse": {
        const { session, error } = effect;
        story.tell(name, () => `refuses session ${session}: ${error.code}: ${error.message}`);
        this.#shell.refuse(session, error);
        return;
      }
      case "journal":
        this.#isBusy = true;
        this.#shell.append(effect.record, () => {
          this.#isBusy = false;
          this.#work();
        });
        return;
      case "announce": {
        const { kind, atMs: _, ...rest } = effect.event;
        if (kind === "job-finished" || kind === "job-failed" || kind === "job-stopped") {
          if (this.state.kind === "ended") this.#shell.ended(this.state.outcome);
        }
        if (kind !== "stepped" && kind !== "worker-status") {
          story.tell(name, () => `${kind} ${JSON.stringify(rest).slice(0, 300)}`);
        }
        invariants.announced(effect.event);
        // One that was deposed between "it may" and the act may yet tell what its successor tells, too.
        if (scene.coordinators.length === 1) invariants.toldOnce(effect.event);
        this.#world.announced.push(effect.event);
        return;
      }
      case "measure":
      case "quarantine":
      case "record":
        return;
    }
  }
}
