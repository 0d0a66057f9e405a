/**
 * The rules of the lease, pure: a register that is written by compare-and-set, of which everybody sees revisions. Who
 * leads writes it again and again; who follows takes it when its revision has not changed for ttlMs *by the follower's
 * own monotonic clock*. The leader stops deciding validShare · ttlMs after it *began* the last write that succeeded.
 *
 * **No two hold at once.** A follower sees a revision after it was written, and that after the leader began to write it;
 * so the leader's window began first, and is shorter by more than clocks differ (10 %: 0.7 / 0.9 < 1 / 1.1). No wall
 * clock and no time of the server's is asked. One question is out at a time; each is answered by one event.
 */

/** Who wants to lead. */
export interface Contender {
  /** Tells its writes from those of others, also of its own earlier lives: never used twice. */
  readonly writer: string;
  /** The same for all of a cluster; where they differ the longer counts. */
  readonly ttlMs: number;
}

/** The question that is out, or when to ask the next. */
type Work =
  | { readonly kind: "idle"; readonly dueMs: number }
  | { readonly kind: "reading"; readonly isRefused: boolean }
  | { readonly kind: "writing"; readonly beganMs: number };

export interface Following {
  readonly kind: "following";
  /** The revision there is, and since when it has been seen; null where it could not be read last. */
  readonly seen: { readonly revision: number; readonly sinceMs: number } | null;
  readonly work: Work;
}

export interface Leading {
  readonly kind: "leading";
  /** The revision by which it took the lease. */
  readonly fence: number;
  /** Its last write, as far as it knows. */
  readonly revision: number;
  /** It decides before this. */
  readonly validUntilMs: number;
  readonly work: Work;
}

export interface Lost {
  readonly kind: "lost";
  readonly why: string;
}

export type Lease = Following | Leading | Lost;

/** `atMs`: the contender's own monotonic clock, when it learns of it. */
export type LeaseEvent = { readonly atMs: number } & (
  | { readonly kind: "tick" }
  /** Somebody says that the leader changed: look now. */
  | { readonly kind: "hint" }
  /** Read. `writer` is empty where nobody has the lease: it was given up, or (revision 0) never was. */
  | { readonly kind: "saw"; readonly revision: number; readonly writer: string; readonly ttlMs: number }
  /** Could not be read. */
  | { readonly kind: "unseen" }
  /** The register is not there, and was not for ttlMs: it was deleted, or lost. Said to who leads; who follows makes it. */
  | { readonly kind: "gone" }
  | { readonly kind: "wrote"; readonly revision: number }
  /** Not written, for the revision is another. */
  | { readonly kind: "refused" }
  /** No answer: it may have been written, or yet be. */
  | { readonly kind: "unknown" }
  | { readonly kind: "resign" }
);

export type LeaseEffect =
  /** Answer with `saw` or `unseen`. */
  | { readonly kind: "read" }
  /**
   * If the revision is `expected` yet; `fence` 0: the revision that it becomes. Answer with `wrote`, `refused` or `unknown`;
   * with `unseen` where it was not sent.
   */
  | { readonly kind: "write"; readonly expected: number; readonly fence: number }
  | { readonly kind: "lead"; readonly fence: number }
  | { readonly kind: "lose"; readonly why: string }
  /** Empty the register if the last write in it is its own. No event answers this. */
  | { readonly kind: "release" };

export type LeaseNext = readonly [Lease, ...LeaseEffect[]];

export const usualTtlMs = 3_000;
/** Of ttlMs. */
const validShare = 0.7;
const renewShare = 1 / 4;
const pollShare = 1 / 8;

export const newLease: Following = { kind: "following", seen: null, work: { kind: "idle", dueMs: 0 } };

/** Whether this contender may decide. */
export function holds(lease: Lease, atMs: number): lease is Leading {
  return lease.kind === "leading" && atMs < lease.validUntilMs;
}

/**
 * What is added to revisions to make them fences, so that those go on growing where the register was made anew, or an
 * older one was restored: their revisions are small again. It never shrinks while the register lives.
 * @param register as it is before it is taken
 * @param highest the highest fence that has written the service's journal
 */
export function fenceBase(register: { readonly revision: number; readonly base: number }, highest: number): number {
  return highest > register.base + register.revision ? highest : register.base;
}

export function leaseStep(own: Contender, lease: Lease, event: LeaseEvent): LeaseNext {
  switch (lease.kind) {
    case "following":
      return follow(own, lease, event);
    case "leading":
      return goOn(own, lease, event);
    case "lost":
      return [lease];
  }
}

function follow(own: Contender, lease: Following, event: LeaseEvent): LeaseNext {
  const { atMs } = event;
  switch (event.kind) {
    case "tick":
      return isDue(lease.work, atMs) ? read(lease) : [lease];
    case "hint":
      return lease.work.kind === "idle" ? read(lease) : [lease];
    case "unseen":
    case "gone":
      // A leader that nobody could see may have renewed: its time starts again.
      return [{ ...lease, seen: null, work: poll(own, atMs) }];
    case "refused":
    case "unknown":
      return read(lease);
    case "wrote":
      return begin(own, lease.work, event.revision);
    case "resign":
      return [{ kind: "lost", why: "it was given up" }];
    case "saw": {
      const { revision, writer } = event;
      // A write of its own whose answer was lost. When it began is known no more: it counts for no time.
      if (writer === own.writer) {
        const leading: Leading = { kind: "leading", fence: revision, revision, validUntilMs: 0, work: lease.work };
        const [renewing, ...effects] = write(leading, atMs);
        return [renewing, { kind: "lead", fence: revision }, ...effects];
      }
      const seen = lease.seen?.revision === revision ? lease.seen : { revision, sinceMs: atMs };
      const mayTake = writer === "" || atMs - seen.sinceMs >= Math.max(own.ttlMs, event.ttlMs);
      if (!mayTake) return [{ ...lease, seen, work: poll(own, atMs) }];
      const taking: Following = { ...lease, seen, work: { kind: "writing", beganMs: atMs } };
      return [taking, { kind: "write", expected: revision, fence: 0 }];
    }
  }
}

function goOn(own: Contender, lease: Leading, event: LeaseEvent): LeaseNext {
  const { atMs } = event;
  switch (event.kind) {
    case "tick":
      return isDue(lease.work, atMs) ? write(lease, atMs) : [lease];
    case "hint":
      return lease.work.kind === "idle" ? read(lease) : [lease];
    case "unseen":
      return [{ ...lease, work: poll(own, atMs) }];
    case "refused":
      return [{ ...lease, work: { kind: "reading", isRefused: true } }, { kind: "read" }];
    case "unknown":
      return read(lease);
    case "wrote": {
      const beganMs = lease.work.kind === "writing" ? lease.work.beganMs : Number.NEGATIVE_INFINITY;
      return [renewed(own, { ...lease, revision: event.revision }, beganMs)];
    }
    case "resign":
      return [{ kind: "lost", why: "it was given up" }, { kind: "release" }];
    case "gone":
      return lose("what the lease was written in is gone");
    case "saw": {
      const { revision, writer } = event;
      if (writer === own.writer) return write({ ...lease, revision }, atMs);
      const isRefused = lease.work.kind === "reading" && lease.work.isRefused;
      // What is older than the own write is a reader's delay, unless the register itself has said that there is another.
      if (revision <= lease.revision && !isRefused) return write(lease, atMs);
      return lose(
        writer === "" ? `nobody has the lease (revision ${revision})` : `another leads since revision ${revision}`,
      );
    }
  }
}

function lose(why: string): LeaseNext {
  return [
    { kind: "lost", why },
    { kind: "lose", why },
  ];
}

function read<L extends Following | Leading>(lease: L): LeaseNext {
  return [{ ...lease, work: { kind: "reading", isRefused: false } }, { kind: "read" }];
}

function write(lease: Leading, atMs: number): LeaseNext {
  const { revision: expected, fence } = lease;
  return [
    { ...lease, work: { kind: "writing", beganMs: atMs } },
    { kind: "write", expected, fence },
  ];
}

function begin(own: Contender, work: Work, fence: number): LeaseNext {
  const beganMs = work.kind === "writing" ? work.beganMs : Number.NEGATIVE_INFINITY;
  const leading: Leading = { kind: "leading", fence, revision: fence, validUntilMs: 0, work };
  return [renewed(own, leading, beganMs), { kind: "lead", fence }];
}

function renewed({ ttlMs }: Contender, lease: Leading, beganMs: number): Leading {
  const work: Work = { kind: "idle", dueMs: beganMs + ttlMs * renewShare };
  return { ...lease, validUntilMs: beganMs + ttlMs * validShare, work };
}

function isDue(work: Work, atMs: number): boolean {
  return work.kind === "idle" && atMs >= work.dueMs;
}

function poll({ ttlMs }: Contender, atMs: number): Work {
  return { kind: "idle", dueMs: atMs + ttlMs * pollShare };
}
