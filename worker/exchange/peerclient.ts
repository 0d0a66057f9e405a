/** Pulls payloads from peers and checks that they are what was asked for. */
import { closeSync, openSync, readSync } from "node:fs";
import { crc32 } from "node:zlib";
import type { Client } from "@grpc/grpc-js";
import { LimbeckError } from "../../core/errors.ts";
import type { PullHeader__Output } from "../../proto/gen/limbeck/v1/PullHeader.ts";
import { errorOfCall } from "../../proto/status.ts";
import { decodePullHeader, peerChannel, rawPull } from "../../proto/wire.ts";
import { bytesOf, checksummed } from "./payload.ts";
import { described, type Wanted } from "./publications.ts";
import { isSharedFile } from "./sharedfiles.ts";

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

export class PeerClient {
  readonly #host: string;
  readonly #channels = new Map<string, Client>();

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
      // What cannot be had through the file may still come as bytes.
      const host = attempt === 1 ? this.#host : "";
      try {
        return await this.#attempt(peer, { ...wanted, host, deadline }, bytesOf(into), signal);
      } catch (thrown) {
        if (signal.aborted) throw signal.reason;
        const error = errorOfCall(thrown, `${peer.worker} at ${peer.address}`);
        if (error.code === "timeout") {
          const message = `${described(wanted)} did not come from ${peer.worker} (${peer.address}) within ${wanted.deadlineMs} ms`;
          throw new LimbeckError("timeout", message, { cause: error });
        }
        if (error.code !== "corrupt" || attempt === attempts) throw error;
      }
    }
  }

  close(): void {
    for (const channel of this.#channels.values()) channel.close();
    this.#channels.clear();
  }

  async #attempt(
    peer: PeerAddress,
    wanted: PullWanted & { host: string; deadline: number },
    into: Uint8Array,
    signal: AbortSignal,
  ): Promise<PullHeader__Output> {
    signal.throwIfAborted();
    const { deadline, ...request } = wanted;
    request.deadlineMs = Math.max(deadline - Date.now(), 0);
    const call = this.#channelTo(peer).makeServerStreamRequest(
      rawPull.path,
      rawPull.requestSerialize,
      rawPull.responseDeserialize,
      request,
      { deadline },
    );
    const cancel = () => call.cancel();
    signal.addEventListener("abort", cancel);
    call.on("error", () => {}); // Reported by the loop below; what comes after it has been left is of no interest.
    const whom = `${described(wanted)} from ${peer.worker} (${peer.address})`;
    try {
      let header: PullHeader__Output | undefined;
      let received = 0;
      let checksum = 0;
      for await (const message of call as AsyncIterable<Buffer>) {
        if (!header) {
          header = decodePullHeader(message);
          checkHeader(header, wanted, into, whom);
          continue;
        }
        if (received + message.byteLength > into.byteLength)
          throw corrupt(`${whom} is longer than its ${into.byteLength} bytes`);
        into.set(message, received);
        received += message.byteLength;
        checksum = crc32(message, checksum);
      }
      if (!header) throw corrupt(`${whom} came without a header`);
      if (header.shmPath !== "") checksum = await readShared(header, into, whom);
      else if (received !== into.byteLength)
        throw corrupt(`${whom} broke off after ${received} of ${into.byteLength} bytes`);
      signal.throwIfAborted();
      if (checksum !== header.crc32)
        throw corrupt(`${whom} arrived damaged: CRC-32 is ${checksum}, should be ${header.crc32}`);
      return header;
    } catch (thrown) {
      call.cancel();
      throw thrown;
    } finally {
      signal.removeEventListener("abort", cancel);
    }
  }

  #channelTo({ address }: PeerAddress): Client {
    let channel = this.#channels.get(address);
    if (!channel) {
      channel = peerChannel(address);
      this.#channels.set(address, channel);
    }
    return channel;
  }
}

function checkHeader(header: PullHeader__Output, wanted: Wanted, into: Uint8Array, whom: string): void {
  // L3. A peer that answers for another term has another deal.
  if (header.term !== wanted.term) {
    throw new LimbeckError("stale_term", `${whom} is of term ${header.term}, asked for was term ${wanted.term}`);
  }
  if (header.kind !== wanted.kind || header.step !== wanted.step) {
    throw corrupt(`${whom} came as ${header.kind} of step ${header.step}`);
  }
  if (header.bytes !== into.byteLength)
    throw corrupt(`${whom} has ${header.bytes} bytes, expected were ${into.byteLength}`);
}

/** Reads the file the header names; gives the checksum of what was read. */
async function readShared({ shmPath, shmOffset }: PullHeader__Output, into: Uint8Array, whom: string): Promise<number> {
  if (!isSharedFile(shmPath)) throw corrupt(`${whom} names ${shmPath}, which is no file of a peer`);
  let file: number;
  try {
    file = openSync(shmPath, "r");
  } catch (cause) {
    throw corrupt(`${whom} cannot be read from ${shmPath}: ${(cause as Error).message}`);
  }
  try {
    let offset = shmOffset;
    return await checksummed([into], (piece) => {
      const read = readSync(file, piece, 0, piece.byteLength, offset);
      if (read !== piece.byteLength) throw corrupt(`${whom} broke off in ${shmPath} at byte ${offset + read}`);
      offset += read;
    });
  } finally {
    closeSync(file);
  }
}

function corrupt(message: string): LimbeckError {
  return new LimbeckError("corrupt", message);
}
