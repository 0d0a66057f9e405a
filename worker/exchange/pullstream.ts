/** One long-lived stream to a peer: pulls go out in order, and their answers come back in that order. */
import type { Client, ClientDuplexStream } from "@grpc/grpc-js";
import { asLimbeckError, LimbeckError } from "../../core/errors.ts";
import type { PullHeader__Output } from "../../proto/gen/limbeck/v1/PullHeader.ts";
import type { PullRequest } from "../../proto/gen/limbeck/v1/PullRequest.ts";
import { errorOfCall, isErrorCode } from "../../proto/status.ts";
import { decodePullHeader, rawPull } from "../../proto/wire.ts";
import { checksum } from "../kernels/checksum.ts";
import { checksummed, inParts, type Payload, payloadBytes } from "./payload.ts";
import { described, type Wanted } from "./publications.ts";
import { readSharedFile } from "./sharedfiles.ts";

/** A pull whose answer is awaited or arriving. */
interface Pending {
  readonly wanted: Wanted;
  readonly into: Payload;
  readonly resolve: (header: PullHeader__Output) => void;
  readonly reject: (error: LimbeckError) => void;
  header: PullHeader__Output | null;
  received: number;
  /** Where the next byte goes: a view of `into`, and the place in it. */
  view: number;
  at: number;
  checksum: number;
  /** What is already known to be wrong; the rest of the answer is skipped. */
  failure: LimbeckError | null;
}

export class PullStream {
  readonly #whom: string;
  readonly #call: ClientDuplexStream<PullRequest, Buffer>;
  readonly #pending: Pending[] = [];
  /** Why there is nothing more to be had from this stream. */
  #broken: LimbeckError | null = null;

  /** @param whom the peer in words */
  constructor(channel: Client, whom: string) {
    this.#whom = whom;
    this.#call = channel.makeBidiStreamRequest(rawPull.path, rawPull.requestSerialize, rawPull.responseDeserialize);
    this.#call.on("error", () => {}); // Reported by the loop that reads.
    void this.#receive();
  }

  get isBroken(): boolean {
    return this.#broken !== null;
  }

  /** Rejects with what came instead of the payload. Once it has settled, nothing writes to `into`. */
  pull(request: PullRequest & Wanted, into: Payload): Promise<PullHeader__Output> {
    if (this.#broken) return Promise.reject(this.#broken);
    return new Promise((resolve, reject) => {
      this.#pending.push({
        wanted: request,
        into,
        resolve,
        reject,
        header: null,
        received: 0,
        view: 0,
        at: 0,
        checksum: 0,
        failure: null,
      });
      this.#call.write(request);
    });
  }

  /** Gives up on everything that is awaited. */
  break(why: LimbeckError): void {
    this.#broken ??= why;
    for (const { reject } of this.#pending.splice(0)) reject(this.#broken);
    this.#call.cancel();
  }

  async #receive(): Promise<void> {
    try {
      for await (const message of this.#call as AsyncIterable<Buffer>) {
        const pending = this.#pending[0];
        if (!pending) continue; // The end of an answer nobody waits for.
        if (message.byteLength === 0) this.#settle(this.#pending.shift()!);
        else if (!pending.header) await this.#begin(pending, message);
        else this.#add(pending, message);
      }
      this.break(new LimbeckError("unavailable", `${this.#whom} ended the stream`));
    } catch (thrown) {
      this.break(errorOfCall(thrown, this.#whom));
    }
  }

  async #begin(pending: Pending, message: Buffer): Promise<void> {
    const whom = this.#described(pending);
    try {
      const header = decodePullHeader(message);
      pending.header = header;
      checkHeader(header, pending, whom);
      if (header.shmPath === "") return;
      const parts = inParts(pending.into, header.nodes.length);
      const fill = (read: (piece: Uint8Array) => void) =>
        checksummed(parts, (piece) => {
          if (this.#broken) throw this.#broken; // Nobody waits for it: the memory is not ours any more.
          read(piece);
        });
      pending.checksum = await readSharedFile(header, fill, whom);
      pending.received = payloadBytes(pending.into);
    } catch (thrown) {
      pending.failure ??= pending.header ? asLimbeckError(thrown) : corrupt(`${whom} came without a header`);
    }
  }

  #add(pending: Pending, message: Buffer): void {
    if (pending.failure || this.#broken) return;
    if (!place(message, pending)) {
      pending.failure = corrupt(`${this.#described(pending)} is longer than its ${payloadBytes(pending.into)} bytes`);
      return;
    }
    pending.checksum = checksum(message, pending.checksum);
  }

  #settle(pending: Pending): void {
    const failure = pending.failure ?? verify(pending, this.#described(pending));
    if (failure) pending.reject(failure);
    else pending.resolve(pending.header!);
  }

  #described({ wanted }: Pending): string {
    return `${described(wanted)} from ${this.#whom}`;
  }
}

/** Copies the message to where it belongs; false where it does not fit. */
function place(message: Uint8Array, pending: Pending): boolean {
  if (pending.received + message.byteLength > payloadBytes(pending.into)) return false;
  for (let done = 0; done < message.byteLength; ) {
    const view = pending.into[pending.view]!;
    const part = message.subarray(done, done + view.byteLength - pending.at);
    view.set(part, pending.at);
    done += part.byteLength;
    pending.at += part.byteLength;
    if (pending.at < view.byteLength) break;
    pending.view += 1;
    pending.at = 0;
  }
  pending.received += message.byteLength;
  return true;
}

function checkHeader(header: PullHeader__Output, { wanted, into }: Pending, whom: string): void {
  if (header.errorCode !== "") {
    throw new LimbeckError(isErrorCode(header.errorCode) ? header.errorCode : "internal", header.error);
  }
  // L3. A peer that answers for another term has another deal.
  if (header.term !== wanted.term) {
    throw new LimbeckError("stale_term", `${whom} is of term ${header.term}, asked for was term ${wanted.term}`);
  }
  const isOfStep = header.step === wanted.step || wanted.kind === "snapshot"; // Of the step it is taken at.
  if (header.kind !== wanted.kind || !isOfStep) {
    throw corrupt(`${whom} came as ${header.kind} of step ${header.step}`);
  }
  if (header.bytes !== payloadBytes(into)) {
    throw corrupt(`${whom} has ${header.bytes} bytes, expected were ${payloadBytes(into)}`);
  }
}

function verify({ header, into, received, checksum: sum }: Pending, whom: string): LimbeckError | null {
  if (!header) return corrupt(`${whom} came without a header`);
  const bytes = payloadBytes(into);
  if (received !== bytes) return corrupt(`${whom} broke off after ${received} of ${bytes} bytes`);
  if (sum !== header.checksum)
    return corrupt(`${whom} arrived damaged: its checksum is ${sum}, should be ${header.checksum}`);
  return null;
}

function corrupt(message: string): LimbeckError {
  return new LimbeckError("corrupt", message);
}
