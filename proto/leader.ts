/** Who leads a cluster: the lease's key says it, to workers and to the command line. */
import { setTimeout as sleep } from "node:timers/promises";
import type { StoredMsg } from "nats";
import { leaderSubject, leaseStream, leaseSubject } from "./cluster.ts";
import type { Nats } from "./nats.ts";
import { jetStreamCode, jetStreamCodes, natsFailure } from "./natserrors.ts";

/** What the lease says of who has it. */
export interface Leader {
  readonly name: string;
  /** host:port of its gRPC. */
  readonly address: string;
  /** host:port of its page. */
  readonly http: string;
  readonly ttlMs: number;
  /** Grows with every leader. */
  readonly fence: number;
}

/** The lease's key. */
export interface LeaseEntry {
  /** 0: nobody ever had it. */
  readonly revision: number;
  /** Empty: nobody has it. What is no lease has a writer, too, which renews it or not. */
  readonly writer: string;
  readonly leader: Leader | null;
  /** What makes a fence of a revision, added to it; 0 but where the bucket was made anew, or an older one was restored. */
  readonly base: number;
}

const nobody: LeaseEntry = { revision: 0, writer: "", leader: null, base: 0 };
const pollMs = 5_000;
const retryMs = 500;
const requestMs = 2_000;

/**
 * Who has the lease, as the server knows it now; null: nobody. Whether it lives, the key does not tell.
 * @throws LimbeckError `unavailable` where the server does not answer
 */
export async function findLeader(nats: Nats, cluster: string): Promise<Leader | null> {
  return (await readLease(nats, cluster))?.leader ?? null;
}

/**
 * Who has the lease, then whoever has it next, until the signal aborts; null: nobody. Of several changes at once the
 * last. While NATS is away nothing comes, and nothing is thrown.
 */
export async function* followLeader(
  nats: Nats,
  cluster: string,
  { signal }: { readonly signal: AbortSignal },
): AsyncGenerator<Leader | null> {
  let change = new AbortController();
  const told = nats.connection.subscribe(leaderSubject(cluster), { callback: () => change.abort() });
  let last: number | null | undefined;
  try {
    while (!signal.aborted) {
      change = new AbortController();
      const leader = await findLeader(nats, cluster).catch(() => undefined);
      const fence = leader === null ? null : leader?.fence;
      if (fence !== undefined && fence !== last) {
        last = fence;
        yield leader ?? null;
        continue;
      }
      const until = AbortSignal.any([signal, change.signal]);
      await sleep(leader ? pollMs : retryMs, undefined, { signal: until }).catch(() => {});
    }
  } finally {
    told.unsubscribe();
  }
}

/** The writer of what is no lease: unless somebody goes on writing, it is taken over as that of a dead leader is. */
export const unreadable = "(unreadable)";

/**
 * The lease as the server that leads the bucket has it; null where there is no bucket.
 * @throws LimbeckError `unavailable` where no answer came
 */
export async function readLease(nats: Nats, cluster: string, timeoutMs = requestMs): Promise<LeaseEntry | null> {
  try {
    const manager = await nats.connection.jetstreamManager({ checkAPI: false, timeout: timeoutMs });
    const found = await manager.streams.getMessage(leaseStream(cluster), { last_by_subj: leaseSubject(cluster) });
    return entryOf(found);
  } catch (thrown) {
    const code = jetStreamCode(thrown);
    if (code === jetStreamCodes.noMessage) return nobody;
    if (code === jetStreamCodes.streamNotFound) return null;
    throw natsFailure(thrown, nats.where, "the lease");
  }
}

/** What is written into the key. `fence` 0: `base` and the revision that it becomes. */
export interface LeaseValue extends Leader {
  readonly base: number;
  /** Tells one life of a contender from all others. */
  readonly writer: string;
}

export function encodeLease(value: LeaseValue): string {
  return JSON.stringify(value);
}

/** What is written when it is given up. */
export function encodeGivenUp(base: number): string {
  return base === 0 ? "" : JSON.stringify({ base });
}

function entryOf({ seq: revision, data }: StoredMsg): LeaseEntry {
  // Given up, or deleted by hand.
  if (data.length === 0) return { ...nobody, revision };
  const value = valueIn(Buffer.from(data).toString("utf8"));
  if (value === null) return { ...nobody, revision, writer: unreadable };
  const { writer, base, ...leader } = value;
  if (writer === "") return { ...nobody, revision, base };
  // Who takes it cannot know the revision that it becomes.
  return { revision, writer, base, leader: { ...leader, fence: leader.fence || base + revision } };
}

/** null where no coordinator wrote it: a stray hand, or a disk. */
function valueIn(text: string): LeaseValue | null {
  let value: Partial<LeaseValue> | null;
  try {
    value = JSON.parse(text) as Partial<LeaseValue> | null;
  } catch {
    return null;
  }
  const { writer = "", base = 0, name = "", address = "", http = "", ttlMs = 0, fence = 0 } = value ?? {};
  const isRight =
    typeof value === "object" &&
    value !== null &&
    [writer, name, address, http].every((each) => typeof each === "string") &&
    [base, ttlMs, fence].every((each) => Number.isSafeInteger(each) && each >= 0);
  return isRight ? { writer, base, name, address, http, ttlMs, fence } : null;
}
