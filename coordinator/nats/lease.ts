/** The lease on NATS: asks and answers for the rules in coordinator/lease.ts, one question at a time. */
import { headers } from "nats";
import { LimbeckError } from "../../core/errors.ts";
import { leaderSubject, leaseSubject } from "../../proto/cluster.ts";
import { encodeGivenUp, encodeLease, type Leader, type LeaseEntry, readLease, unreadable } from "../../proto/leader.ts";
import type { Nats } from "../../proto/nats.ts";
import { isOutage, jetStreamCode, jetStreamCodes, natsFailure } from "../../proto/natserrors.ts";
import { fenceBase, holds, type LeaseEffect, type LeaseEvent, leaseStep, newLease } from "../lease.ts";
import type { LeaderIdentity } from "../store.ts";

export interface LeaseOptions {
  readonly cluster: string;
  readonly own: LeaderIdentity;
  /** Never used before. */
  readonly writer: string;
  readonly ttlMs: number;
  /** The bucket is not there: makes it. */
  ensureBucket(): Promise<void>;
  /** The highest fence that has written the service's journal; throws what the client throws. */
  highestFence(timeoutMs: number): Promise<number>;
  standby(leader: LeaderIdentity | null): void;
  /** Of what changes while it leads, for the log. */
  warn(why: string): void;
}

export interface NatsLease {
  /** Resolves with the fence once it leads; rejects with what makes that impossible. */
  readonly led: Promise<number>;
  readonly lost: Promise<string>;
  /** Aborts with `stale_term` once another leads, or it is given up. */
  readonly ended: AbortSignal;
  holds(): boolean;
  held(): Promise<void>;
  /** Whether the key says that it leads, whatever the own clock says. Throws as readLease does. */
  confirmed(): Promise<boolean>;
  /** Decides nothing more from now on; resolves when another may lead, or NATS does not answer. */
  resign(): Promise<void>;
}

const tickMs = 50;

export function contend(nats: Nats, options: LeaseOptions): NatsLease {
  const { cluster, own, writer, ttlMs, standby, warn } = options;
  const contender = { writer, ttlMs };
  const now = () => performance.now();
  /** A renewal that is not answered must leave time for another. */
  const answerMs = Math.max(200, ttlMs / 4);
  let lease = newLease as ReturnType<typeof leaseStep>[0];
  let wasHeld = false;
  let bucketGoneMs = Number.POSITIVE_INFINITY;
  /** As the key has it, then as it was written with this contender's first write. */
  let base = 0;
  let shown: number | null | undefined;
  let strayRevision: number | null = null;
  const ended = new AbortController();
  const waiting = new Set<{ resolve(): void; reject(why: unknown): void }>();
  const [led, lead, refuse] = promised<number>();
  const [lost, lose] = promised<string>();
  led.catch(() => {});

  const happen = (event: LeaseEvent): void => {
    const [next, ...effects] = leaseStep(contender, lease, event);
    lease = next;
    settle();
    for (const effect of effects) perform(effect);
  };

  const settle = () => {
    const isHeld = holds(lease, now());
    if (wasHeld && !isHeld && lease.kind === "leading")
      warn(`the lease cannot be renewed at ${nats.where}: this coordinator decides nothing until it can`);
    if (!wasHeld && isHeld && lease.kind === "leading" && lease.revision !== lease.fence)
      warn(`the lease is renewed again: this coordinator goes on to lead (fence ${base + lease.fence})`);
    wasHeld = isHeld;
    if (lease.kind === "lost") {
      const gone = stale(lease.why);
      ended.abort(gone);
      for (const { reject } of waiting) reject(gone);
      waiting.clear();
    } else if (isHeld) {
      for (const { resolve } of waiting) resolve();
      waiting.clear();
    }
  };

  const stale = (why: string) => new LimbeckError("stale_term", `this coordinator leads no more: ${why}`);

  const perform = (effect: LeaseEffect): void => {
    switch (effect.kind) {
      case "read":
        question = ask(read());
        return;
      case "write":
        question = ask(write(effect.expected, effect.fence));
        return;
      case "lead":
        announce(textOf(effect.fence));
        lead(base + effect.fence);
        return;
      case "lose":
        stop();
        lose(effect.why);
        return;
      case "release":
        return; // `resign` does it, when the question that is out has been answered.
    }
  };

  let question: Promise<void> = Promise.resolve();
  const ask = async (asked: Promise<LeaseEvent>): Promise<void> => {
    try {
      happen(await asked);
    } catch (thrown) {
      stop();
      refuse(thrown);
    }
  };

  const read = async (): Promise<LeaseEvent> => {
    try {
      const entry = await readLease(nats, cluster, answerMs);
      if (entry === null) return await missing();
      bucketGoneMs = Number.POSITIVE_INFINITY;
      show(entry);
      const { revision } = entry;
      if (lease.kind === "following") base = entry.base;
      return { kind: "saw", revision, writer: entry.writer, ttlMs: entry.leader?.ttlMs ?? 0, atMs: now() };
    } catch (thrown) {
      if (lease.kind === "following" && !isOutage(causeOf(thrown))) throw thrown;
      return { kind: "unseen", atMs: now() };
    }
  };

  /** A cluster that starts says so for a moment of what it has. */
  const missing = async (): Promise<LeaseEvent> => {
    bucketGoneMs = Math.min(bucketGoneMs, now());
    if (lease.kind !== "following") return { kind: now() - bucketGoneMs < ttlMs ? "unseen" : "gone", atMs: now() };
    await options.ensureBucket();
    base = 0;
    return { kind: "saw", revision: 0, writer: "", ttlMs: 0, atMs: now() };
  };

  const show = ({ leader, writer, revision }: LeaseEntry) => {
    if (writer === unreadable && strayRevision !== revision) {
      warn(
        `the lease's key, ${leaseSubject(cluster)}, holds what no coordinator wrote (revision ${revision}): it is taken over if nobody writes it again for ${ttlMs / 1000} s`,
      );
      strayRevision = revision;
    }
    const fence = leader?.fence ?? null;
    if (lease.kind === "following" && fence !== shown) standby(leader && identityOf(leader));
    shown = fence;
  };

  /** @param fence of the rules, a revision; 0: that which this becomes */
  const textOf = (fence: number) => encodeLease({ ...own, ttlMs, fence: fence && base + fence, base, writer });

  const write = async (expected: number, fence: number): Promise<LeaseEvent> => {
    try {
      // Who cannot be told how high fences are could open no journal either: it takes nothing.
      if (fence === 0) base = fenceBase({ revision: expected, base }, await options.highestFence(answerMs));
    } catch (thrown) {
      if (!isOutage(thrown)) throw natsFailure(thrown, nats.where, "the journal");
      return { kind: "unseen", atMs: now() };
    }
    try {
      const revision = await compareAndSet(textOf(fence), expected);
      bucketGoneMs = Number.POSITIVE_INFINITY;
      return { kind: "wrote", revision, atMs: now() };
    } catch (thrown) {
      if (jetStreamCode(thrown) === jetStreamCodes.wrongLastSequence) return { kind: "refused", atMs: now() };
      const failure = natsFailure(thrown, nats.where, "the lease");
      if (!isOutage(thrown) && lease.kind === "following") throw failure;
      if (!isOutage(thrown)) warn(failure.message);
      return { kind: "unknown", atMs: now() };
    }
  };

  const compareAndSet = async (text: string, expected: number): Promise<number> => {
    const expect = { lastSubjectSequence: expected };
    const stream = nats.connection.jetstream({ timeout: answerMs });
    return (await stream.publish(leaseSubject(cluster), text, { expect, headers: headers() })).seq;
  };

  const announce = (text: string) => {
    if (nats.awaySinceMs === null && !nats.connection.isClosed()) nats.connection.publish(leaderSubject(cluster), text);
  };

  const told = nats.connection.subscribe(leaderSubject(cluster), {
    callback: (error, message) => {
      // Its own words are no news.
      if (!error && !message.string().includes(writer)) happen({ kind: "hint", atMs: now() });
    },
  });
  const ticking = setInterval(() => {
    settle();
    happen({ kind: "tick", atMs: now() });
  }, tickMs);
  const stop = () => {
    clearInterval(ticking);
    told.unsubscribe();
  };
  happen({ kind: "tick", atMs: now() });
  void nats.connection.closed().then(() => {
    stop();
    happen({ kind: "resign", atMs: now() });
    refuse(new LimbeckError("unavailable", `the connection to ${nats.where} is closed`));
  });

  const giveUp = async (): Promise<void> => {
    happen({ kind: "resign", atMs: now() });
    stop();
    await question;
    try {
      const entry = await readLease(nats, cluster, answerMs);
      if (entry?.writer === writer) await compareAndSet(encodeGivenUp(entry.base), entry.revision);
      announce("");
    } catch {
      // Then it runs out.
    }
  };
  let resigning: Promise<void> | null = null;

  return {
    led,
    lost,
    ended: ended.signal,
    holds: () => holds(lease, now()),
    async held() {
      if (holds(lease, now())) return;
      ended.signal.throwIfAborted();
      await new Promise<void>((resolve, reject) => waiting.add({ resolve, reject }));
    },
    confirmed: async () => (await readLease(nats, cluster, answerMs))?.writer === writer,
    resign() {
      resigning ??= giveUp();
      return resigning;
    },
  };
}

function identityOf({ name, address, http }: Leader): LeaderIdentity {
  return { name, address, http };
}

function causeOf(thrown: unknown): unknown {
  return thrown instanceof LimbeckError ? thrown.cause : thrown;
}

function promised<T>(): [Promise<T>, (value: T) => void, (why: unknown) => void] {
  let resolve: (value: T) => void;
  let reject: (why: unknown) => void;
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return [promise, (value) => resolve(value), (why) => reject(why)];
}
