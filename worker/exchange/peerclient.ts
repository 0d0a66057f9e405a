/** Pulls payloads from peers, again where they come damaged. */
import type { Client } from "@grpc/grpc-js";
import { asLimbeckError, LimbeckError } from "../../core/errors.ts";
import type { PullHeader__Output } from "../../proto/gen/limbeck/v1/PullHeader.ts";
import { type Calling, peerChannel } from "../../proto/wire.ts";
import { bytesOf } from "../bytes.ts";
import type { Payload } from "./payload.ts";
import { PeerFailure } from "./peerfailure.ts";
import { described, type Wanted } from "./publications.ts";
import { PullStream } from "./pullstream.ts";

export interface PeerAddress {
  /** Its name, for messages. */
  readonly worker: string;
  /** host:port */
  readonly address: string;
}

export interface PullWanted extends Wanted {
  /** For all of it: until the payload is published, and its transfer. */
  readonly deadlineMs: number;
}

/** A payload that arrived wrong is pulled this often in all. */
const attempts = 3;

export interface PullCounts {
  readonly sharedBytes: number;
  readonly networkBytes: number;
  readonly again: number;
  readonly damaged: number;
}

interface Connection {
  readonly channel: Client;
  /** Gradients have a stream of their own, which nothing large holds up. */
  readonly streams: Map<"gradients" | "weights", PullStream>;
}

export class PeerClient {
  readonly #host: string;
  readonly #calling: Calling;
  readonly #connections = new Map<string, Connection>();
  readonly #counts = { sharedBytes: 0, networkBytes: 0, again: 0, damaged: 0 };
  /** Told of every payload that came damaged and was fetched again, or given up. */
  onCorrupted: (from: string, kind: string, why: string) => void = () => {};

  /** @param host hostId() of this worker */
  constructor(host: string, calling: Calling = {}) {
    this.#host = host;
    this.#calling = calling;
  }

  /** Since the process began: bytes that arrived by shared memory and by the network, pulls made again, damage found. */
  get counts(): PullCounts {
    return { ...this.#counts };
  }

  /**
   * Pulls a payload into memory of exactly its size, cut as the sender cuts it where it is given in parts. After a failure the memory holds anything, but nothing writes to it
   * any more.
   * @returns the header it came with
   * @throws stale_term, the signal's reason, or a PeerFailure: timeout, unavailable, or corrupt: it came wrong three times
   */
  async pull(
    peer: PeerAddress,
    wanted: PullWanted,
    into: Float32Array | Uint8Array | Payload,
    signal: AbortSignal,
  ): Promise<PullHeader__Output> {
    const deadline = Date.now() + wanted.deadlineMs;
    const memory = Array.isArray(into) ? (into as Payload) : [bytesOf(into as Uint8Array)];
    const damage: LimbeckError[] = [];
    for (let attempt = 1; ; attempt++) {
      signal.throwIfAborted();
      // What cannot be had through the file may still come as bytes.
      const host = attempt === 1 ? this.#host : "";
      try {
        const header = await this.#attempt(peer, { ...wanted, host, deadline }, memory, signal);
        this.#counts[header.shmPath === "" ? "networkBytes" : "sharedBytes"] += header.bytes;
        for (const { message } of damage) this.onCorrupted(peer.worker, wanted.kind, message);
        return header;
      } catch (thrown) {
        if (signal.aborted) throw signal.reason;
        const error = asLimbeckError(thrown);
        // L3. What was wrong with a payload of a term that is over says nothing about who sent it.
        if (error.code === "stale_term") throw error;
        if (error.code === "corrupt") {
          damage.push(error);
          this.#counts.damaged += 1;
          if (attempt < attempts) {
            this.#counts.again += 1;
            continue;
          }
        }
        for (const { message } of damage) this.onCorrupted(peer.worker, wanted.kind, message);
        throw new PeerFailure(peer.worker, error);
      }
    }
  }

  /** Closes the connections to all others. */
  keepOnly(peers: readonly PeerAddress[]): void {
    const kept = new Set(peers.map(({ address }) => address));
    for (const address of this.#connections.keys()) {
      if (!kept.has(address)) this.#disconnect(address, new LimbeckError("stopped", "it is no peer any more"));
    }
  }

  close(): void {
    for (const address of this.#connections.keys()) {
      this.#disconnect(address, new LimbeckError("stopped", "this worker leaves"));
    }
  }

  #disconnect(address: string, why: LimbeckError): void {
    const { channel, streams } = this.#connections.get(address)!;
    this.#connections.delete(address);
    for (const stream of streams.values()) stream.break(why);
    channel.close();
  }

  async #attempt(
    peer: PeerAddress,
    { deadline, ...wanted }: PullWanted & { host: string; deadline: number },
    into: Payload,
    signal: AbortSignal,
  ): Promise<PullHeader__Output> {
    const stream = this.#streamTo(peer, wanted.kind);
    const deadlineMs = Math.max(deadline - Date.now(), 0);
    // Answers come in order: what is given up is in the way of all that follows, so the stream goes with it.
    const late = setTimeout(() => stream.break(tooLate(peer, wanted)), deadlineMs + answerGraceMs);
    const onAbort = () => stream.break(asLimbeckError(signal.reason));
    signal.addEventListener("abort", onAbort);
    try {
      return await stream.pull({ ...wanted, deadlineMs }, into);
    } catch (thrown) {
      if (thrown instanceof LimbeckError && thrown.code === "timeout") throw tooLate(peer, wanted, thrown);
      // gRPC waits longer and longer before it connects again; whoever comes back at that address is not made to wait.
      const isGone = thrown instanceof LimbeckError && thrown.code === "unavailable" && stream.isBroken;
      if (isGone && this.#connections.has(peer.address)) this.#disconnect(peer.address, thrown);
      throw thrown;
    } finally {
      clearTimeout(late);
      signal.removeEventListener("abort", onAbort);
    }
  }

  #streamTo({ worker, address }: PeerAddress, kind: string): PullStream {
    let connection = this.#connections.get(address);
    if (!connection) {
      connection = { channel: peerChannel(address, this.#calling), streams: new Map() };
      this.#connections.set(address, connection);
    }
    const purpose = kind === "partials" || kind === "reduced" ? "gradients" : "weights";
    let stream = connection.streams.get(purpose);
    if (!stream || stream.isBroken) {
      stream = new PullStream(connection.channel, `${worker} (${address})`);
      connection.streams.set(purpose, stream);
    }
    return stream;
  }
}

/** A peer that lives says itself that time is up; one that is silent is given this much longer. */
const answerGraceMs = 500;

function tooLate({ worker, address }: PeerAddress, wanted: PullWanted, cause?: unknown): LimbeckError {
  const message = `${described(wanted)} did not come from ${worker} (${address}) within ${wanted.deadlineMs} ms`;
  return new LimbeckError("timeout", message, { cause });
}
