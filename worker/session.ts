/** A session with the coordinator: one stream, for as long as both live; a heartbeat says what the worker does and waits for (L7). */
import { setTimeout } from "node:timers/promises";
import { type ClientDuplexStream, connectivityState } from "@grpc/grpc-js";
import { unlessAborted } from "../core/aborted.ts";
import { LimbeckError } from "../core/errors.ts";
import type { FromWorker } from "../proto/gen/limbeck/v1/FromWorker.ts";
import type { ToWorker__Output } from "../proto/gen/limbeck/v1/ToWorker.ts";
import { pingsTo, reachedState } from "../proto/reaching.ts";
import { loopbackOnly } from "../proto/security/security.ts";
import { errorOfCall, isRefusal } from "../proto/status.ts";
import type { Whereabouts } from "../proto/whereabouts.ts";
import { coordinatorClient, type Interceptors } from "../proto/wire.ts";
import type { Status } from "./context.ts";

/** On one address, before the next is tried. */
const connectMs = 1_000;
/** While no address is known. */
const lookMs = 200;
const closingMs = 1_000;
const defaultHeartbeatMs = 250;

type Stream = ClientDuplexStream<FromWorker, ToWorker__Output>;

/** The coordinator has gone, or cannot be reached: another session may be had. */
export class SessionBroken extends LimbeckError {}

/** It was too long that no coordinator answered. */
export class NobodyAnswers extends LimbeckError {}

/** That nobody answers. */
export interface Tried {
  readonly ms: number;
  /** Why somebody who listens there is not reached, in a sentence; empty where nobody does. */
  readonly problem: string;
}

/**
 * Tries again and again, at most a second apart, wherever the coordinator is by then; from when it can be looked for.
 * @throws what makes that impossible, `unavailable` where that was too long, `not_allowed` with the problem where there
 * was one, the signal's reason, `usage` where it is off loopback without TLS
 */
export async function joinCoordinator(
  whereabouts: Whereabouts,
  isTooLate: (tried: Tried) => boolean,
  { signal, interceptors }: { readonly signal: AbortSignal; readonly interceptors: Interceptors },
): Promise<Session> {
  const { security = loopbackOnly, ready } = whereabouts;
  if (ready) await unlessAborted(ready, signal);
  const sinceMs = performance.now();
  for (;;) {
    signal.throwIfAborted();
    const address = whereabouts.address();
    const calling = { interceptors, security, pings: pingsTo(whereabouts) };
    const client = address === "" ? null : coordinatorClient(address, calling);
    const isEnough = () => signal.aborted || whereabouts.address() !== address;
    if (client && (await reachedState(client, { ms: connectMs, isEnough })) === connectivityState.READY) {
      return new Session(client.join(), address, () => client.close());
    }
    client?.close();
    const problem = client ? await unlessAborted(security.problem("coordinator", address), signal) : "";
    signal.throwIfAborted();
    const ms = performance.now() - sinceMs;
    if (isTooLate({ ms, problem })) {
      if (problem !== "") throw new LimbeckError("not_allowed", problem);
      const tried = `tried for ${Math.round(ms / 1000)} s`;
      throw new NobodyAnswers("unavailable", `no coordinator answers at ${whereabouts.where} (${tried})`);
    }
    if (client) whereabouts.tried("");
    else await setTimeout(lookMs, undefined, { signal }).catch(() => {});
  }
}

export class Session {
  readonly #stream: Stream;
  readonly #address: string;
  readonly #closeChannel: () => void;
  /** The coordinator has answered the end of the stream, so it has read all that was sent; or the stream broke. */
  readonly #over: Promise<void>;
  #heartbeats: NodeJS.Timeout | undefined;
  #left = false;

  constructor(stream: Stream, address: string, closeChannel: () => void) {
    this.#stream = stream;
    this.#address = address;
    this.#closeChannel = closeChannel;
    this.#over = new Promise((resolve) => stream.once("status", () => resolve()));
    stream.on("error", () => {}); // Thrown by messages(); when the worker is closing, how the stream ends matters no more.
  }

  send(message: FromWorker): void {
    if (this.#stream.writable) this.#stream.write(message);
  }

  /** @param everyMs 0 for the default */
  beat(everyMs: number, term: () => number, status: Status): void {
    clearInterval(this.#heartbeats);
    const heartbeat = () => {
      const residentBytes = process.memoryUsage.rss();
      const { doing, step } = status;
      const waits = { waitingFor: status.waitingFor(), needsTeacher: status.needsTeacher() };
      const now = { doing, step, ...waits, serverAway: status.isServerAway(), residentBytes };
      this.send({ term: term(), heartbeat: { ...now, ...status.serving() } });
    };
    heartbeat();
    this.#heartbeats = setInterval(heartbeat, everyMs || defaultHeartbeatMs);
  }

  /**
   * The coordinator's messages in order, until `leave` is called.
   * @throws what it refuses with, SessionBroken when it goes away
   */
  async *messages(): AsyncGenerator<ToWorker__Output> {
    try {
      // Who stops listening leaves the stream whole: what was sent last is still on its way.
      for await (const message of this.#stream.iterator({ destroyOnReturn: false })) yield message as ToWorker__Output;
    } catch (cause) {
      if (this.#left) return;
      if (cause instanceof SessionBroken) throw cause;
      const error = errorOfCall(cause, `the session with the coordinator at ${this.#address} broke`);
      throw isRefusal(cause) ? error : new SessionBroken("unavailable", error.message, { cause });
    }
    if (!this.#left) throw new SessionBroken("unavailable", `the coordinator at ${this.#address} ended the session`);
  }

  /** Another coordinator decides now: what this one says is no longer heard. */
  breakOff(why: string): void {
    this.#stream.destroy(new SessionBroken("unavailable", why));
    this.#stream.cancel();
  }

  /** The worker goes on its own account: what was sent still arrives, and the coordinator ends the stream, or it is cut. */
  leave(): void {
    this.#left = true;
    this.#stream.end();
    globalThis.setTimeout(() => this.#stream.cancel(), closingMs).unref();
  }

  /** host:port of the coordinator. */
  get address(): string {
    return this.#address;
  }

  /** Lets what was sent arrive, within bounds, and closes the channel. */
  async close(): Promise<void> {
    clearInterval(this.#heartbeats);
    this.#stream.end();
    this.#stream.resume(); // The answer to the end is found only by who reads.
    await Promise.race([this.#over, setTimeout(closingMs, undefined, { ref: false })]);
    this.#stream.cancel();
    this.#closeChannel();
  }
}
