/**
 * One of several coordinators. It stands by until it has the lease, opens the journal, and goes on with the job where
 * that ends. When another leads, the job's life ends here, its workers are sent away, and it stands by again.
 */
import { open } from "../../coordinator/gather.ts";
import type { JournalRecord } from "../../coordinator/journalrecord.ts";
import { replay } from "../../coordinator/replay.ts";
import type { Outcome, State } from "../../coordinator/state.ts";
import { NotLeader } from "../../proto/notleader.ts";
import type { Life } from "./clock.ts";
import type { Connection } from "./jetstream.ts";
import { JobRun } from "./jobrun.ts";
import { LeaderJournal } from "./journal.ts";
import { LeaseHolder, MonotonicClock } from "./leaseholder.ts";
import type { End, Receiver } from "./network.ts";
import { Sessions } from "./sessions.ts";
import { between, type World, whole } from "./world.ts";

const tickMs = 100;
const port = 7_000;
const deaf: Receiver = { data() {}, broken() {} };

export interface ContenderParts {
  readonly name: string;
  ended(outcome: Outcome | "done"): void;
}

interface Leadership {
  readonly writer: string;
  readonly fence: number;
  readonly journal: LeaderJournal;
  job: JobRun | null;
}

export class Contender {
  readonly name: string;
  readonly life: Life;
  readonly connection: Connection;
  readonly #world: World;
  readonly #ended: ContenderParts["ended"];
  readonly #clock: MonotonicClock;
  readonly #skewMs: number;
  readonly #sessions = new Sessions();
  #holder: LeaseHolder;
  #leadership: Leadership | null = null;
  #stoodBy = 0;
  /** When it last found that it may decide. */
  #mayMs = 0;
  /** Its clock stood still while it led: what it thinks of its time says nothing. */
  #isMisled = false;

  constructor(world: World, life: Life, { name, ended }: ContenderParts) {
    const { random, jetStream, network } = world;
    this.#world = world;
    this.name = name;
    this.life = life;
    this.#ended = ended;
    this.#clock = new MonotonicClock(world, between(random, 0.9, 1.1));
    this.#skewMs = whole(random, -3_000, 3_000) + 1_000_000;
    this.connection = jetStream.connect(life);
    this.#holder = this.#standBy();
    network.listen(name, life, (end) => this.#accept(end));
    this.#tick();
  }

  /** null: it stands by. */
  get state(): State | null {
    return this.#leadership?.job?.state ?? null;
  }

  get fence(): number {
    return this.#leadership?.fence ?? 0;
  }

  get why(): string {
    const { lease } = this.#holder;
    const stands =
      lease.kind === "leading" ? `leads since ${lease.fence}${this.#holder.holds ? "" : ", may not"}` : lease.kind;
    return `${stands}; ${this.#leadership?.job?.why ?? "no job"}`;
  }

  /** Its machine stood still, and the machine's monotonic clock with it. */
  suspended(ms: number): void {
    this.#isMisled = this.#leadership !== null;
    this.#clock.suspended(ms);
  }

  #tick(): void {
    this.#world.clock.after(tickMs / this.#clock.rate, this.life, () => {
      this.#holder.happen({ kind: "tick" });
      this.#tick();
    });
  }

  #standBy(): LeaseHolder {
    const { history } = this.#world;
    const writer = `${this.life.name}.${++this.#stoodBy}`;
    this.#isMisled = false;
    return new LeaseHolder(this.#world, {
      own: LeaseHolder.contender(writer),
      clock: this.#clock,
      connection: this.connection,
      address: `${this.name}:${port}`,
      may: (fence, fromMs, toMs) => {
        if (!this.#isMisled) history.push({ kind: "may", coordinator: writer, fence, fromMs, toMs });
      },
      led: (fence) => this.#lead(writer, fence),
      lost: (why) => this.#end(writer, why),
    });
  }

  #lead(writer: string, fence: number): void {
    const { history, jetStream, clock } = this.#world;
    const stale = (why: string) => {
      if (this.#leadership?.writer !== writer) return;
      const holder = this.#holder;
      this.#end(writer, why);
      holder.happen({ kind: "resign" });
    };
    const journal = new LeaderJournal(this.#world, { writer, fence, connection: this.connection, stale });
    const leadership: Leadership = { writer, fence, journal, job: null };
    this.#leadership = leadership;
    this.connection.ask({ timeoutMs: tickMs, serve: () => jetStream.tellChange(), answer() {} });
    journal.open((records, sequence) => {
      if (this.#leadership !== leadership) return;
      history.push({ kind: "opened", coordinator: writer, fence, sequence, atMs: clock.nowMs });
      if (records.length > 0) return this.#goOn(leadership, records);
      const started = { kind: "started", atMs: this.#nowMs, build: this.#world.scene.plan.build } as const;
      journal.append(started, () => this.#goOn(leadership, records));
    });
  }

  #goOn(leadership: Leadership, records: readonly JournalRecord[]): void {
    const { clock, scene, story, invariants } = this.#world;
    if (this.#leadership !== leadership) return;
    story.tell(this.name, () => `goes on with ${records.length} records, as ${leadership.writer}`);
    if (records.some(({ kind }) => kind === "ended")) clock.after(0, this.life, () => this.#ended("done"));
    const { writer, fence, journal } = leadership;
    const acts = () => {
      if (this.#isMisled) return;
      this.#world.history.push({ kind: "decided", coordinator: writer, fence, atMs: this.#mayMs });
    };
    const shell = {
      name: this.name,
      life: this.life,
      rate: this.#clock.rate,
      nowMs: () => this.#nowMs,
      mayDecide: (then: () => void) => {
        this.#holder.held(() => {
          this.#mayMs = clock.nowMs;
          then();
        });
      },
      append(record: JournalRecord, then: () => void) {
        acts();
        journal.append(record, () => {
          if (record.kind === "finished") invariants.finished(record);
          then();
        });
      },
      send: (session: number, message: object) => {
        acts();
        this.#sessions.send(session, { ...message, fence });
      },
      refuse: this.#sessions.refuse,
      ended: this.#ended,
    };
    const { plan } = scene;
    const first =
      records.length > 0 ? replay(plan, records, this.#nowMs, this.#world.announced) : open(plan, this.#nowMs);
    leadership.job = new JobRun(this.#world, shell, first);
    leadership.job.begin();
  }

  #end(writer: string, why: string): void {
    const leadership = this.#leadership;
    const { history, clock, story } = this.#world;
    story.tell(this.name, () => `leads no more: ${why}`);
    if (leadership?.writer === writer) {
      leadership.job?.stop();
      history.push({ kind: "left", coordinator: writer, fence: leadership.fence, atMs: clock.nowMs });
    }
    this.#leadership = null;
    this.#sessions.dismiss(this.#notLeader());
    this.#holder = this.#standBy();
  }

  #accept(end: End): Receiver {
    const job = this.#leadership?.job;
    if (job) return this.#sessions.accept(end, (happening) => job.happen(happening));
    end.close(this.#notLeader());
    return deaf;
  }

  #notLeader(): NotLeader {
    const leader = this.#holder.key?.leader ?? "";
    const other = leader.startsWith(this.name) ? "" : leader;
    return new NotLeader(other, `${this.name} stands by, ${other || "nobody"} leads`);
  }

  get #nowMs(): number {
    return Math.round(this.#world.clock.nowMs * this.#clock.rate) + this.#skewMs;
  }
}
