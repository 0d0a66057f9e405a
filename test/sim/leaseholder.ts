/** Who wants to lead: coordinator/lease.ts with a clock that is not the world's, and questions that take their time. */
import { type Contender, type Lease, type LeaseEffect, type LeaseEvent, newLease } from "../../coordinator/lease.ts";
import type { Connection, LeaseKey } from "./jetstream.ts";
import type { World } from "./world.ts";

const ttlMs = 3_000;
const timeoutMs = 750;

/** A monotonic clock that goes faster or slower than the true one; it stands still with a machine that is suspended. */
export class MonotonicClock {
  readonly rate: number;
  readonly #world: World;
  readonly #startMs: number;
  #suspendedMs = 0;

  constructor(world: World, rate: number) {
    this.#world = world;
    this.rate = rate;
    this.#startMs = world.clock.nowMs;
  }

  get nowMs(): number {
    return (this.#world.clock.nowMs - this.#startMs - this.#suspendedMs) * this.rate;
  }

  /** When it will show this, as long as the machine is not suspended. */
  trueMs(at: number): number {
    return this.#startMs + this.#suspendedMs + at / this.rate;
  }

  suspended(ms: number): void {
    this.#suspendedMs += ms;
  }
}

export interface LeaseParts {
  readonly own: Contender;
  readonly clock: MonotonicClock;
  readonly connection: Connection;
  /** host:port */
  readonly address: string;
  /** It may decide, between these true times. */
  may(fence: number, fromMs: number, toMs: number): void;
  led(fence: number): void;
  lost(why: string): void;
}

type Happening = LeaseEvent extends infer E ? (E extends LeaseEvent ? Omit<E, "atMs"> : never) : never;

export class LeaseHolder {
  lease: Lease = newLease;
  /** As it was read last. */
  key: LeaseKey | null = null;
  readonly #world: World;
  readonly #parts: LeaseParts;
  #waiting: (() => void)[] = [];

  static contender(writer: string): Contender {
    return { writer, ttlMs };
  }

  constructor(world: World, parts: LeaseParts) {
    this.#world = world;
    this.#parts = parts;
  }

  get holds(): boolean {
    return this.#world.code.holds(this.lease, this.#parts.clock.nowMs);
  }

  /** Goes on when it holds; never, once another leads. */
  held(then: () => void): void {
    if (this.holds) then();
    else this.#waiting.push(then);
  }

  happen(happening: Happening): void {
    const { own, clock } = this.#parts;
    const event = { ...happening, atMs: clock.nowMs } as LeaseEvent;
    const [next, ...effects] = this.#world.code.leaseStep(own, this.lease, event);
    const before = this.lease;
    this.lease = next;
    if (next.kind === "leading" && next !== before) this.#validUntil(next.fence, next.validUntilMs);
    for (const effect of effects) this.#perform(effect);
    while (this.#waiting.length > 0 && this.holds) this.#waiting.shift()!();
  }

  #validUntil(fence: number, untilMs: number): void {
    const { clock, may } = this.#parts;
    if (untilMs > clock.nowMs) may(fence, this.#world.clock.nowMs, clock.trueMs(untilMs));
  }

  #perform(effect: LeaseEffect): void {
    const { own, connection, address, led, lost } = this.#parts;
    const { jetStream, story } = this.#world;
    switch (effect.kind) {
      case "read":
        this.#ask(
          () => jetStream.readLease(),
          (key) => {
            this.key = key ?? this.key;
            return key ? { kind: "saw", ...key } : { kind: "unseen" };
          },
        );
        return;
      case "write": {
        const { expected, fence } = effect;
        const key = { writer: own.writer, ttlMs, leader: address, fence };
        this.#ask(
          () => jetStream.writeLease(expected, key),
          (written) => {
            if (!written) return { kind: "unknown" };
            return written.kind === "wrote" ? { kind: "wrote", revision: written.as } : { kind: "refused" };
          },
        );
        return;
      }
      case "lead":
        story.tell(own.writer, () => `leads with fence ${effect.fence}`);
        led(effect.fence);
        return;
      case "lose":
        lost(effect.why);
        return;
      case "release": {
        const empty = { writer: "", ttlMs: 0, leader: "", fence: 0 };
        const serve = () => {
          const { revision, writer } = jetStream.lease;
          if (writer === own.writer) jetStream.writeLease(revision, empty);
          jetStream.tellChange();
        };
        connection.ask({ timeoutMs, serve, answer() {} });
      }
    }
  }

  #ask<T>(serve: () => T, heard: (reply: T | null) => Happening): void {
    const { connection, clock } = this.#parts;
    const answer = (reply: T | null) => this.happen(heard(reply));
    connection.ask({ timeoutMs: timeoutMs / clock.rate, serve, answer });
  }
}
