/** Calls to whichever coordinator decides: from one to the next, over redirects, lost answers and elections. */
import { setTimeout } from "node:timers/promises";
import { type CallOptions, type Client, type ClientUnaryCall, connectivityState } from "@grpc/grpc-js";
import { backoffMs } from "../core/backoff.ts";
import { LimbeckError } from "../core/errors.ts";
import { isAbsence, Unanswered, Unreached } from "./absence.ts";
import { NotLeader } from "./notleader.ts";
import { pingsTo, reachedState } from "./reaching.ts";
import { errorOfCall } from "./status.ts";
import type { Whereabouts } from "./whereabouts.ts";
import type { Calling } from "./wire.ts";

const { READY, TRANSIENT_FAILURE } = connectivityState;
/** How long who asks once waits in all: for an election, the restart of one that was there, a journal. */
const patienceMs = 15_000;
/** For a connection, before the next is tried. */
const connectMs = 3_000;
/**
 * For the first answer, where nobody tells that another decides: a leader that cannot may have a successor. Then twice as
 * long, for it may but be slow, and what it was asked it goes on with.
 */
const answerMs = 5_000;
/** Before somebody is told that there is a wait (L7): for who decides, or for its answer. */
const toldAfterMs = 2_000;
const asking = { firstMs: 50, longestMs: 500 };

type Answer<T> = (error: Error | null, reply?: T) => void;
/** One question, as a generated client puts it. */
export type Question<C, T> = (client: C, options: Partial<CallOptions>, answer: Answer<T>) => ClientUnaryCall;

interface Attempt {
  readonly endMs: number;
  /** For the answer. */
  readonly ms: number;
}

export interface LeaderCalls<C> {
  /**
   * The client of who is believed to decide, when it is connected, or will say at once why not.
   * @throws NotLeader where nobody is known to decide, Unreached where nobody answers, also when the signal aborts
   */
  reached(signal?: AbortSignal): Promise<C>;
  /** What a call threw, as a LimbeckError; the next client may then be that of another coordinator. */
  failed(thrown: unknown): LimbeckError;
  /**
   * What is asked must be safe to ask twice: an answer may have been lost.
   * @param onWait instead of the usual one
   * @throws `unavailable` or `timeout` when nobody is reached, and after a while where somebody was or may yet be
   */
  ask<T>(question: Question<C, T>, onWait?: () => void): Promise<T>;
  /** Questions that wait end with an error. */
  close(): void;
}

/** @param onWait called once for a question that has had no answer for a while */
export function leaderCalls<C extends Client>(
  where: Whereabouts,
  open: (address: string, calling: Calling) => C,
  onWait: () => void = () => {},
): LeaderCalls<C> {
  const clients = new Map<string, C>();
  const closed = new AbortController();
  let lastAddress = "";
  const client = (address: string): C => {
    const { security } = where;
    const known = clients.get(address) ?? open(address, { pings: pingsTo(where), ...(security && { security }) });
    clients.set(address, known);
    return known;
  };
  const reached = async (signal?: AbortSignal, ms = connectMs): Promise<C> => {
    const address = where.address();
    if (address === "") throw new NotLeader("", `nobody leads: ${where.where} is not known now`);
    lastAddress = address;
    const isOver = () => closed.signal.aborted || signal?.aborted === true || where.address() !== address;
    const found = client(address);
    const state = await reachedState(found, { ms, isEnough: (state) => state === TRANSIENT_FAILURE || isOver() });
    closed.signal.throwIfAborted();
    if (state === READY || state === TRANSIENT_FAILURE) return found;
    throw new Unreached(address);
  };
  const failed = (thrown: unknown): LimbeckError => {
    const error = errorOfCall(thrown, `the coordinator at ${lastAddress}`);
    if (error instanceof NotLeader) where.tried(error.leader);
    else if (isAbsence(error)) where.tried("");
    return error;
  };
  /** Somebody listened: what failed was the answer. */
  const wasThere = () => clients.get(lastAddress)?.getChannel().getConnectivityState(false) !== TRANSIENT_FAILURE;

  const answered = async <T>(question: Question<C, T>, { endMs, ms }: Attempt): Promise<T> => {
    const leftMs = () => Math.max(0, endMs - performance.now());
    const asked = await reached(undefined, Math.min(connectMs, leftMs()));
    const address = lastAddress;
    let unheard = () => {};
    try {
      return await new Promise<T>((resolve, reject) => {
        const answer: Answer<T> = (error, reply) => (error ? reject(error) : resolve(reply!));
        const call = question(asked, { deadline: Date.now() + Math.min(ms, leftMs()) }, answer);
        unheard = where.onMoved((to) => {
          if (to !== address) call.cancel();
        });
      });
    } finally {
      unheard();
    }
  };

  const persistently = async <T>(question: Question<C, T>): Promise<T> => {
    const endMs = performance.now() + patienceMs;
    const absent = new Set<string>();
    let isWorthIt = where.isElected;
    let isLost = false;
    let redirected: NotLeader | null = null;
    let ms = where.isGuessed ? answerMs : patienceMs;
    for (let attempt = 0; ; attempt++) {
      try {
        return await answered(question, { endMs, ms });
      } catch (thrown) {
        const error = failed(thrown);
        if (error instanceof NotLeader) redirected = error;
        else if (!isAbsence(error)) throw error;
        else if (error instanceof Unreached || !wasThere()) absent.add(lastAddress);
        else isLost = true;
        if (error.code === "timeout") ms *= 2;
        isWorthIt ||= isLost || redirected !== null;
        if (performance.now() >= endMs || (!isWorthIt && absent.has(where.address())))
          throw lastOf(error, { isLost, redirected, address: lastAddress });
      }
      await setTimeout(backoffMs(asking, attempt, Math.random()), undefined, { signal: closed.signal });
    }
  };

  return {
    reached,
    failed,
    async ask(question, onLate = onWait) {
      const late = globalThis.setTimeout(onLate, toldAfterMs);
      try {
        return await persistently(question);
      } finally {
        clearTimeout(late);
      }
    },
    close() {
      closed.abort(new LimbeckError("stopped", "no longer asked"));
      for (const each of clients.values()) each.close();
    },
  };
}

interface Asked {
  readonly isLost: boolean;
  readonly redirected: NotLeader | null;
  /** host:port of the last one that was asked. */
  readonly address: string;
}

/** What is told in the end: one that stands by has said who decides, and that is who does not answer. */
function lastOf(error: LimbeckError, { isLost, redirected, address }: Asked): LimbeckError {
  const isAbsent = redirected !== null && error !== redirected;
  const last = isAbsent ? new NotLeader(redirected.leader, `${redirected.message}; ${address} does not answer`) : error;
  return isLost ? new Unanswered("timeout", last.message, { cause: last.cause }) : last;
}
