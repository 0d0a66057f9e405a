/** Pulls payloads from peers, again where they come damaged. */
import type { Client } from "@grpc/grpc-js";
import { asLimbeckError, LimbeckError } from "../../core/errors.ts";
import type { PullHeader__Output } from "../../proto/gen/limbeck/v1/PullHeader.ts";
import { peerChannel } from "../../proto/wire.ts";
import { bytesOf } from "./payload.ts";
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

interface Connection {
  readonly channel: Client;
  /** Gradients have a stream of their own, which nothing large holds up. */
  readonly streams: Map<"gradients" | "weights", PullStream>;
}

export class PeerClient {
  readonly #host: string;
  readonly #connections = new Map<string, Connection>();

  /** @param host hostId() of this worker */
  constructor(host: string) {
    this.#host = host;
  }

  /**
   * Pulls a payload into memory of exactly its size. After a failure the memory holds anything, but nothing writes to it
   * any more.
   * @returns the header it came with
   * @throws stale_term, timeout, unavailable, the signal's reason, or corrupt: it came wrong three times
   */
  async pull(
    peer: PeerAddress,
    wanted: PullWanted,
    into: Float32Array | Uint8Array,
    signal: AbortSignal,
  ): Promise<PullHeader__Output> {
    const deadline = Date.now() + wanted.deadlineMs;
    for (let attempt = 1; ; attempt++) {
      signal.throwIfAborted();
      // What cannot be had through the file may still come as bytes.
      const host = attempt === 1 ? this.#host : "";
      try {
        return await this.#attempt(peer, { ...wanted, host, deadline }, bytesOf(into), signal);
      } catch (thrown) {
        if (signal.aborted) throw signal.reason;
        const error = asLimbeckError(thrown);
        if (error.code !== "corrupt" || attempt === attempts) throw error;
      }
    }
  }

  close(): void {
    for (const { channel, streams } of this.#connections.values()) {
      for (const stream of streams.values()) stream.break(new LimbeckError("stopped", "this worker leaves"));
      channel.close();
    }
    this.#connections.clear();
  }

  async #attempt(
    peer: PeerAddress,
    { deadline, ...wanted }: PullWanted & { host: string; deadline: number },
    into: Uint8Array,
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
      throw thrown;
    } finally {
      clearTimeout(late);
      signal.removeEventListener("abort", onAbort);
    }
  }

  #streamTo({ worker, address }: PeerAddress, kind: string): PullStream {
    let connection = this.#connections.get(address);
    if (!connection) {
      connection = { channel: peerChannel(address), streams: new Map() };
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
