/**
 * NATS as far as a cluster of coordinators uses it: the lease's key with compare-and-set, a journal with expected
 * sequences, and the word that another leads. Questions and answers take their time, are lost, and come twice; what was
 * asked while the server was away is served later, or never; what is read may be old.
 */
import type { JournalRecord } from "../../coordinator/journalrecord.ts";
import type { Clock, Life, Timer } from "./clock.ts";
import type { Code } from "./world.ts";

export interface Entry {
  readonly sequence: number;
  /** Of the message: tells it from all others. */
  readonly id: string;
  readonly writer: string;
  /** Of the leader that wrote it. */
  readonly fence: number;
  /** null: that it leads. */
  readonly record: JournalRecord | null;
  readonly atMs: number;
}

export interface LeaseKey {
  /** 0: nobody ever had it. */
  readonly revision: number;
  /** Empty: nobody has it. */
  readonly writer: string;
  readonly ttlMs: number;
  /** host:port */
  readonly leader: string;
  readonly fence: number;
}

export type Written<T> = { readonly kind: "wrote"; readonly as: T } | { readonly kind: "refused" };

export interface Question<T> {
  serve(): T;
  readonly timeoutMs: number;
  /** null: no answer came. Called once. */
  answer(reply: T | null): void;
}

const [lostWords, lateWords, doubledWords] = [0.25, 0.2, 0.1];
const latestMs = 6_000;

export class JetStream {
  /** The whole server. */
  isAway = false;
  /** Chance that a question or an answer is lost, and the longest that one takes, in ms. */
  lossShare = 0;
  slowestMs = 4;
  lease: LeaseKey = { revision: 0, writer: "", ttlMs: 0, leader: "", fence: 0 };
  /** What it was before, and until when. */
  readonly #former: { readonly key: LeaseKey; readonly untilMs: number }[] = [];
  readonly journal: Entry[] = [];
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #code: Code;
  readonly #waiting = new Set<() => void>();
  readonly #listeners = new Map<Life, () => void>();

  constructor(clock: Clock, { random, code }: { readonly random: () => number; readonly code: Code }) {
    this.#clock = clock;
    this.#random = random;
    this.#code = code;
  }

  get lastSequence(): number {
    return this.journal.at(-1)?.sequence ?? 0;
  }

  connect(life: Life): Connection {
    return new Connection(this, life);
  }

  /** By compare-and-set. @param fence 0: the revision that it becomes */
  writeLease(expected: number, key: Omit<LeaseKey, "revision">): Written<number> {
    if (!this.#code.isExpected(this.lease, expected, { isRenewal: key.fence > 0 })) return { kind: "refused" };
    const revision = this.lease.revision + 1;
    this.#former.push({ key: this.lease, untilMs: this.#clock.nowMs });
    this.lease = { ...key, revision, fence: key.fence || revision };
    return { kind: "wrote", as: revision };
  }

  /** While NATS is unreliable, now and then as a server knows it that lags behind. */
  readLease(): LeaseKey {
    if (this.lossShare === 0 || this.#random() < 0.8) return this.lease;
    const asOfMs = this.#clock.nowMs - this.slowestMs * this.#random();
    return this.#former.find(({ untilMs }) => untilMs > asOfMs)?.key ?? this.lease;
  }

  append(expected: number, entry: Omit<Entry, "sequence" | "atMs">): Written<number> {
    if (this.lastSequence !== expected) return { kind: "refused" };
    // Only what can be read back is there.
    const { record } = JSON.parse(JSON.stringify(entry)) as Pick<Entry, "record">;
    this.journal.push({ ...entry, record, sequence: expected + 1, atMs: this.#clock.nowMs });
    return { kind: "wrote", as: expected + 1 };
  }

  /** Another leads. Those who listen may hear of it, late, or twice. */
  tellChange(): void {
    for (const [life, heard] of this.#listeners) {
      if (this.#random() < lostWords) continue;
      for (let times = this.#random() < doubledWords ? 2 : 1; times > 0; times--) {
        const ms = this.#random() < lateWords ? latestMs * this.#random() : this.delayMs();
        this.#clock.after(ms, life, () => this.isAway || heard());
      }
    }
  }

  onChange(life: Life, heard: () => void): void {
    this.#listeners.set(life, heard);
  }

  setAway(isAway: boolean): void {
    this.isAway = isAway;
    if (!isAway) this.resume();
  }

  /** What clients kept while they were without a server arrives, or not. */
  resume(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const arrive of waiting) if (this.#random() < 0.5) this.#clock.after(this.delayMs(), null, arrive);
  }

  ask<T>(by: Connection, { serve, timeoutMs, answer }: Question<T>): void {
    let [isAnswered, timer]: [boolean, Timer | null] = [false, null];
    const once = (reply: T | null) => {
      if (isAnswered) return;
      isAnswered = true;
      timer!.cancel();
      answer(reply);
    };
    timer = this.#clock.after(timeoutMs, by.life, () => once(null));
    const arrive = (): void => {
      if (this.isAway || by.isCut) {
        this.#waiting.add(arrive);
        return;
      }
      const reply = serve();
      if (this.#isLost) return;
      this.#clock.after(this.delayMs(), null, () => {
        if (!this.isAway && !by.isCut) by.life.do(() => once(reply));
      });
    };
    for (let times = this.#random() < 0.02 ? 2 : 1; times > 0; times--) {
      if (!this.#isLost) this.#clock.after(this.delayMs(), null, arrive);
    }
  }

  get #isLost(): boolean {
    return this.lossShare > 0 && this.#random() < this.lossShare;
  }

  delayMs(): number {
    const draw = this.#random();
    return 0.2 + draw * draw * this.slowestMs;
  }
}

/** A process's; what it has asked is served though it may have died. */
export class Connection {
  readonly life: Life;
  /** For this one the server is away. */
  isCut = false;
  readonly #server: JetStream;

  constructor(server: JetStream, life: Life) {
    this.#server = server;
    this.life = life;
  }

  ask<T>(question: Question<T>): void {
    this.#server.ask(this, question);
  }

  setCut(isCut: boolean): void {
    this.isCut = isCut;
    if (!isCut) this.#server.resume();
  }
}
