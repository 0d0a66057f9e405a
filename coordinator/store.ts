/**
 * What must survive a coordinator, and who of several may write it. Two stores do it: a folder (coordinator/folder/) and
 * NATS JetStream (coordinator/nats/). What is appended is durable before anybody hears of the decision.
 */
import type { ProgressEvent } from "../core/events.ts";

/** The journal that every leader opens, before those of jobs. */
export const serviceJournal = "service";

export interface Journal<R> {
  /** Those of earlier lives, in order. */
  readonly records: readonly R[];
  /** What was cut off of a journal that a crash tore; empty where nothing was. */
  readonly note: string;
  /**
   * Durable when it resolves. Waits while NATS is away.
   * @throws LimbeckError `stale_term` where another leader has written since; `unavailable` where it can never be: every
   * later append then fails, too
   */
  append(record: R): Promise<void>;
  /** Replaces all records by these (a snapshot); whole or not at all. Throws as `append` does. */
  compact(records: readonly R[]): Promise<void>;
  /** The next process may have it. */
  close(): Promise<void>;
}

/** A job's progress events. */
export interface EventStore {
  /** Those of earlier lives, in order. */
  readonly events: readonly ProgressEvent[];
  /** Returns at once where the server is away; the order is kept, and nothing is doubled. */
  append(event: ProgressEvent): Promise<void>;
  /** Writes what can be written by now. */
  close(): Promise<void>;
}

/** Who leads, for workers and users: host:port of its gRPC and of its page. */
export interface LeaderIdentity {
  readonly name: string;
  readonly address: string;
  readonly http: string;
}

export interface Store {
  /** For messages: "the folder DIR", "NATS at HOST:PORT". */
  readonly where: string;
  /**
   * Stands by until this process leads. `standby` is told who leads when that changes; null: nobody.
   * @throws the signal's reason when it aborts, LimbeckError `unavailable` where it can never lead
   */
  lead(own: LeaderIdentity, options: LeadOptions): Promise<Leadership>;
  /** Why this process can neither lead nor know who does, in a sentence; empty where it can, or did within the lease's time. */
  trouble(): string;
  close(): Promise<void>;
}

export interface LeadOptions {
  standby(leader: LeaderIdentity | null): void;
  readonly signal: AbortSignal;
}

export interface Leadership {
  /** Grows with every leader there was. */
  readonly fence: number;
  /** No other can lead now, by the monotonic clock. Checked before every decision. */
  holds(): boolean;
  /** Resolves when it holds, at once where it does; rejects with `stale_term` once another leads. */
  held(): Promise<void>;
  /** Resolves with why, once another leads. Never rejects. */
  readonly lost: Promise<string>;
  /**
   * @param name `serviceJournal`, or a job's id. Opening it fences: what an older leader appends afterwards is refused.
   * @param until ends every wait for it, of what is opened, too: then its reason is thrown. A folder is not waited for
   * @throws LimbeckError `stale_term` where a newer leader has opened it, `corrupt` where it is damaged
   */
  journal<R>(name: string, until?: AbortSignal): Promise<Journal<R>>;
  events(job: string): Promise<EventStore>;
  /** Forgets journal and events of a job that is over. @throws LimbeckError `stale_term` where another leads */
  forget(job: string): Promise<void>;
  /**
   * Gives the lease up, so that another may lead at once. From the call on it does not hold, and all that waits for it or
   * for the store ends with `stale_term`, whether the store answers or not.
   */
  resign(): Promise<void>;
}
