/** The coordinator's shell, as coordinator/run.ts and main.ts: one effect after another, a journal that takes its time. */
import type { JournalRecord } from "../../coordinator/journalrecord.ts";
import type { WorkerMessage } from "../../coordinator/messages.ts";
import { replay } from "../../coordinator/replay.ts";
import type { Effect, Event, Happening, Next, Outcome, State } from "../../coordinator/state.ts";
import { waitOf } from "../../coordinator/waiting.ts";
import { asLimbeckError } from "../../core/errors.ts";
import type { ProgressEvent } from "../../core/events.ts";
import type { Life } from "./clock.ts";
import type { End } from "./network.ts";
import { between, type World } from "./world.ts";

const tickMs = 100;

export class CoordinatorProcess {
  readonly life: Life;
  state: State;
  readonly #world: World;
  /** On disk: it outlives the process. */
  readonly #journal: JournalRecord[];
  /** On disk, too. */
  readonly #announced: ProgressEvent[];
  readonly #skewMs: number;
  readonly #ended: (outcome: Outcome | "done") => void;
  readonly #sessions = new Map<number, End>();
  #opened = 0;
  #effects: Effect[] = [];
  #isWriting = false;
  readonly #events: Event[] = [];

  constructor(
    world: World,
    life: Life,
    {
      journal,
      announced,
      skewMs,
      ended,
    }: {
      journal: JournalRecord[];
      announced: ProgressEvent[];
      skewMs: number;
      ended: (outcome: Outcome | "done") => void;
    },
  ) {
    this.#world = world;
    this.life = life;
    this.#journal = journal;
    this.#announced = announced;
    this.#skewMs = skewMs;
    this.#ended = ended;
    if (journal.length === 0) journal.push({ kind: "started", atMs: this.#nowMs, build: world.scene.plan.build });
    // Only what can be read back is there.
    const records = JSON.parse(JSON.stringify(journal)) as JournalRecord[];
    const [state, ...effects] = replay(world.scene.plan, records, this.#nowMs, announced);
    this.state = state;
    this.#act([state, ...effects]);
    // The shell's business: the report is written, nobody is needed any more.
    if (records.some(({ kind }) => kind === "ended")) world.clock.after(0, life, () => ended("done"));
    world.network.listen("coordinator", life, (end) => {
      const session = ++this.#opened;
      this.#sessions.set(session, end);
      return {
        data: (message) => this.#happen({ kind: "message", session, message: message as WorkerMessage }),
        broken: ({ message }) => {
          this.#sessions.delete(session);
          this.#happen({ kind: "broken", session, why: message });
        },
      };
    });
    this.#tick();
  }

  get why(): string {
    if (this.state.kind === "ended") return "nothing: it has ended";
    const wait = waitOf(this.#world.scene.plan, this.state);
    return `${this.state.kind} term ${this.state.term}, waits for ${wait.for.join(", ")}: ${wait.why}`;
  }

  get #nowMs(): number {
    return Math.round(this.#world.clock.nowMs) + this.#skewMs;
  }

  #tick(): void {
    this.#world.clock.after(tickMs, this.life, () => {
      this.#happen({ kind: "tick" });
      this.#tick();
    });
  }

  #happen(happening: Happening): void {
    this.#events.push({ ...happening, atMs: this.#nowMs });
    this.#work();
  }

  #work(): void {
    while (!this.#isWriting && this.life.isAlive) {
      const effect = this.#effects.shift();
      if (effect) this.#perform(effect);
      else {
        const event = this.#events.shift();
        if (!event) return;
        this.#act(this.#decide(event));
      }
    }
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
    const { story, clock, random, invariants } = this.#world;
    switch (effect.kind) {
      case "send":
        this.#sessions.get(effect.session)?.send(effect.message);
        return;
      case "refuse": {
        const end = this.#sessions.get(effect.session);
        this.#sessions.delete(effect.session);
        story.tell(
          "coordinator",
          () => `refuses session ${effect.session}: ${effect.error.code}: ${effect.error.message}`,
        );
        end?.close(effect.error);
        return;
      }
      case "journal":
        // A crash meanwhile: the record is on disk, or is not.
        this.#isWriting = true;
        if (random() < 0.5) this.#journal.push(effect.record);
        clock.after(between(random, 0.5, 6), this.life, () => {
          if (this.#journal.at(-1) !== effect.record) this.#journal.push(effect.record);
          this.#isWriting = false;
          this.#work();
        });
        if (effect.record.kind === "finished") invariants.finished(effect.record);
        return;
      case "announce": {
        const { kind, atMs: _, ...rest } = effect.event;
        if (kind === "job-finished" || kind === "job-failed" || kind === "job-stopped") {
          if (this.state.kind === "ended") this.#ended(this.state.outcome);
        }
        if (kind !== "stepped" && kind !== "worker-status") {
          story.tell("coordinator", () => `${kind} ${JSON.stringify(rest).slice(0, 300)}`);
        }
        invariants.announced(effect.event);
        this.#announced.push(effect.event);
        return;
      }
      case "measure":
      case "quarantine":
      case "record":
        return;
    }
  }
}
