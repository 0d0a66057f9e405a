/** The lease on NATS: asks and answers for the rules in coordinator/lease.ts, one question at a time. */
import { headers } from "nats";
import { LimbeckError } from "../../core/errors.ts";
import { leaderSubject, leaseSubject } from "../../proto/cluster.ts";
import { encodeLease, type Leader, type LeaseEntry, readLease } from "../../proto/leader.ts";
import type { Nats } from "../../proto/nats.ts";
import { isOutage, jetStreamCode, jetStreamCodes, natsFailure } from "../../proto/natserrors.ts";
import { holds, type LeaseEffect, type LeaseEvent, leaseStep, newLease } from "../lease.ts";
import type { LeaderIdentity } from "../store.ts";

export interface LeaseOptions {
  readonly cluster: string;
  readonly own: LeaderIdentity;
  /** Never used before. */
  readonly writer: string;
  readonly ttlMs: number;
  /** The bucket is not there: makes it. */
  ensureBucket(): Promise<void>;
  /** The register was read or written just now, or has refused. */
  answered(): void;
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
  resign(): Promise<void>;
}

const tickMs = 50;

export function contend(nats: Nats, options: LeaseOptions): NatsLease {
  const { cluster, own, writer, ttlMs, answered, standby, warn } = options;
  const contender = { writer, ttlMs };
  const now = () => performance.now();
  /** A renewal that is not answered must leave time for another. */
  const answerMs = Math.max(200, ttlMs / 4);
  let lease = newLease as ReturnType<typeof leaseStep>[0];
  let wasHeld = false;
  let bucketGoneMs = Number.POSITIVE_INFINITY;
  let shown: number | null | undefined;
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
      warn(`the lease is renewed again: this coordinator goes on to lead (fence ${lease.fence})`);
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
        announce(encodeLease({ ...own, ttlMs, fence: effect.fence, writer }));
        lead(effect.fence);
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
      answered();
      show(entry);
      const { revision } = entry;
      return { kind: "saw", revision, writer: entry.writer, ttlMs: entry.leader?.ttlMs ?? 0, atMs: now() };
    } catch (thrown) {
      if (lease.kind === "following" && !isOutage(causeOf(thrown))) throw thrown;
      return { kind: "unseen", atMs: now() };
    }
  };

  /** A cluster that starts says so for a moment of what it has. */
  const missing = async (): Promise<LeaseEvent> => {
    bucketGoneMs = Math.min(bucketGoneMs, now());
    if (lease.kind !== "following" && now() - bucketGoneMs < ttlMs) return { kind: "unseen", atMs: now() };
    if (lease.kind === "following") await options.ensureBucket();
    return { kind: "saw", revision: 0, writer: "", ttlMs: 0, atMs: now() };
  };

  const show = ({ leader }: LeaseEntry) => {
    const fence = leader?.fence ?? null;
    if (lease.kind === "following" && fence !== shown) standby(leader && identityOf(leader));
    shown = fence;
  };

  const write = async (expected: number, fence: number): Promise<LeaseEvent> => {
    try {
      const revision = await compareAndSet(encodeLease({ ...own, ttlMs, fence, writer }), expected);
      answered();
      return { kind: "wrote", revision, atMs: now() };
    } catch (thrown) {
      if (jetStreamCode(thrown) === jetStreamCodes.wrongLastSequence) {
        answered();
        return { kind: "refused", atMs: now() };
      }
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
    async resign() {
      happen({ kind: "resign", atMs: now() });
      stop();
      await question;
      try {
        const entry = await readLease(nats, cluster, answerMs);
        if (entry?.writer === writer) await compareAndSet("", entry.revision);
        announce("");
      } catch {
        // Then it runs out.
      }
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
