/**
 * Whether a coordinator is reached at all. One that is stopped, and a machine that is off, take or swallow connections and
 * say nothing: gRPC would wait 20 s for that.
 */
import { type Client, connectivityState } from "@grpc/grpc-js";
import type { Whereabouts } from "./whereabouts.ts";
import { type Pings, usualPings } from "./wire.ts";

const { READY, SHUTDOWN } = connectivityState;
const biteMs = 200;

export interface Reaching {
  readonly ms: number;
  /** Of a state other than READY: it is not worth waiting for another. Asked again and again. */
  isEnough(state: connectivityState): boolean;
}

/** The state of the channel when it is ready, or enough, or that has taken too long. */
export async function reachedState(client: Client, { ms, isEnough }: Reaching): Promise<connectivityState> {
  const channel = client.getChannel();
  for (const endMs = performance.now() + ms; ; ) {
    const state = channel.getConnectivityState(true);
    const leftMs = endMs - performance.now();
    if (state === READY || state === SHUTDOWN || isEnough(state) || leftMs <= 0) return state;
    // In small bites: closing a channel does not end grpc-js's wait for it.
    const deadline = Date.now() + Math.min(biteMs, leftMs);
    await new Promise<unknown>((resolve) => channel.watchConnectivityState(state, deadline, resolve));
  }
}

/** A leader that is stopped keeps its connections; where only silence tells of that, it is to be found soon. */
export function pingsTo({ isGuessed }: Whereabouts): Pings {
  return isGuessed ? { everyMs: 2_000, answerMs: 2_000 } : usualPings;
}
