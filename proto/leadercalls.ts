/** Calls to whichever coordinator decides: from one to the next, over redirects, lost answers and elections. */
import { setTimeout } from "node:timers/promises";
import { type Client, connectivityState } from "@grpc/grpc-js";
import { backoffMs } from "../core/backoff.ts";
import { LimbeckError, type LimbeckErrorCode } from "../core/errors.ts";
import { NotLeader } from "./notleader.ts";
import { errorOfCall, isFailedCall, isUnimplemented } from "./status.ts";
import type { Whereabouts } from "./whereabouts.ts";

/** How long an election, or the restart of one that was there, is waited for by who asks once. */
const electionMs = 15_000;
/** Before somebody is told that there is a wait (L7): for who decides, or for its answer. */
const toldAfterMs = 2_000;
const asking = { firstMs: 50, longestMs: 500 };

export interface LeaderCalls<C> {
  /** The client of who is believed to decide. Throws NotLeader where nobody is known to. */
  client(): C;
  /** What a call threw, as a LimbeckError; the next client may then be that of another coordinator. */
  failed(thrown: unknown): LimbeckError;
  /**
   * What is asked must be safe to ask twice: an answer may have been lost.
   * @param onWait instead of the usual one
   * @throws `unavailable` or `timeout` at once where nobody answers, and after a while where somebody did or may yet
   */
  ask<T>(call: (client: C) => Promise<T>, onWait?: () => void): Promise<T>;
  /** Questions that wait end with an error. */
  close(): void;
}

/** @param onWait called once for a question that has had no answer for a while */
export function leaderCalls<C extends Client>(
  where: Whereabouts,
  open: (address: string) => C,
  onWait: () => void = () => {},
): LeaderCalls<C> {
  const clients = new Map<string, C>();
  const closed = new AbortController();
  let lastAddress = "";
  const client = (): C => {
    const address = where.address();
    if (address === "") throw new NotLeader("", `nobody leads: ${where.where} is not known now`);
    lastAddress = address;
    const known = clients.get(address);
    if (known) return known;
    const opened = open(address);
    clients.set(address, opened);
    return opened;
  };
  const failed = (thrown: unknown): LimbeckError => {
    const error = errorOfCall(thrown, `the coordinator at ${lastAddress}`);
    if (error instanceof NotLeader) where.tried(error.leader);
    else if (isAbsence(thrown, error)) where.tried("");
    return error;
  };
  /** Somebody listened: what failed was the answer. */
  const wasThere = () =>
    clients.get(lastAddress)?.getChannel().getConnectivityState(false) !== connectivityState.TRANSIENT_FAILURE;

  const asked = async <T>(call: (client: C) => Promise<T>): Promise<T> => {
    const begunMs = performance.now();
    const absent = new Set<string>();
    let isWorthIt = where.isElected;
    for (let attempt = 0; ; attempt++) {
      try {
        return await call(client());
      } catch (thrown) {
        const error = failed(thrown);
        if (error instanceof NotLeader) isWorthIt = true;
        else if (!isAbsence(thrown, error)) throw error;
        else if (error.code !== "timeout" && wasThere()) isWorthIt = true;
        else absent.add(lastAddress);
        if (performance.now() - begunMs > electionMs) throw error;
        if (!isWorthIt && absent.has(where.address())) throw error;
      }
      await setTimeout(backoffMs(asking, attempt, Math.random()), undefined, { signal: closed.signal });
    }
  };

  return {
    client,
    failed,
    async ask(call, onLate = onWait) {
      const late = globalThis.setTimeout(onLate, toldAfterMs);
      try {
        return await asked(call);
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

/** What gRPC makes of a coordinator that is not there, does not answer, or closes under the call. */
const absences: readonly LimbeckErrorCode[] = ["unavailable", "timeout", "stopped"];

/** Nobody answered: neither yes nor no. @param error what errorOfCall made of it */
export function isAbsence(thrown: unknown, { code }: LimbeckError): boolean {
  return absences.includes(code) && isFailedCall(thrown) && !isUnimplemented(thrown);
}
