/** Serves what this worker has published to the peers that pull it. */
import { once } from "node:events";
import type { Server, ServerDuplexStream } from "@grpc/grpc-js";
import { asLimbeckError, LimbeckError } from "../../core/errors.ts";
import { told } from "../../core/told.ts";
import type { PullRequest__Output } from "../../proto/gen/limbeck/v1/PullRequest.ts";
import { encodePullHeader, peerService } from "../../proto/wire.ts";
import { bytesOf } from "../bytes.ts";
import { checksummed, payloadBytes, pieces } from "./payload.ts";
import {
  described,
  type PayloadKind,
  type Publication,
  Publications,
  payloadKinds,
  type Wanted,
} from "./publications.ts";
import type { SharedFile, SharedFiles } from "./sharedfiles.ts";

export interface PeerServerSettings {
  /** hostId() of this worker. */
  readonly host: string;
  /** null where there is no /dev/shm: everything travels as bytes. */
  readonly files: Pick<SharedFiles, "write" | "close"> | null;
  /** Told, once, why payloads for this host travel as bytes after all. */
  note(line: string): void;
}

// Made once: a stack trace per pull is a cost on the hot path, and nobody sees this one.
const askerHasGone = new LimbeckError("stopped", "the asker has gone");

const longestHoldMs = 3_600_000;

/** What a step exchanges. Whole replicas travel as bytes: /dev/shm is small in a container, and the gradients need it. */
const inSharedMemory: ReadonlySet<PayloadKind> = new Set(["partials", "reduced", "sum", "teacher"]);

type PullCall = ServerDuplexStream<PullRequest__Output, Uint8Array>;

/** Ends every answer. */
const endOfAnswer = new Uint8Array(0);

const longestTold = 40;

/** Nobody publishes any other, so it would be waited for in vain. */
function checkKind({ kind }: Wanted): void {
  if (!payloadKinds.some((each) => each === kind))
    throw new LimbeckError("corrupt", `${JSON.stringify(told(kind, longestTold))} was pulled, which nobody publishes`);
}

/** How a publication is given away; made once, for the first who asks that way. */
interface Given {
  bytes?: Promise<{ checksum: number }>;
  file?: Promise<SharedFile | null>;
}

export class PeerServer {
  readonly #settings: PeerServerSettings;
  readonly #publications = new Publications();
  readonly #given = new WeakMap<Publication, Given>();
  readonly #calls = new Map<AbortController, number>();
  #filesFailed = false;
  #closed: LimbeckError | null = null;

  constructor(settings: PeerServerSettings) {
    this.#settings = settings;
  }

  addTo(server: Server): void {
    server.addService(peerService, { pull: (call: PullCall) => void this.#answerAll(call) });
  }

  /** L3. From now on only this term's payloads are given, and transfers of older terms break off. */
  openTerm(term: number): void {
    this.#publications.openTerm(term);
    for (const [call, callTerm] of this.#calls) {
      if (callTerm < term)
        call.abort(new LimbeckError("stale_term", `term ${callTerm} is over: the current term is ${term}`));
    }
  }

  /** The coordinator no longer knows this worker: what it has published is nobody's, and the next term may have any number. */
  reset(): void {
    const why = "this worker has begun anew";
    this.#publications.reset(why);
    for (const call of this.#calls.keys()) call.abort(new LimbeckError("stale_term", why));
  }

  /** Nothing more is published in the term: held pulls are answered with `stale_term` at once. */
  closeTerm(term: number, why: string): void {
    this.#publications.closeTerm(term, why);
  }

  /** Gives the payload to everyone who asks or has asked for it, in its term. Throws `stale_term` where that is over. */
  publish(publication: Publication): void {
    if (publication.term > this.#publications.term) this.openTerm(publication.term);
    this.#publications.publish(publication);
  }

  /** The memory of a publication is about to change. */
  withdraw(publication: Wanted): void {
    this.#publications.withdraw(publication);
  }

  /** A peer waits for a payload of this kind. */
  isWanted(kind: PayloadKind): boolean {
    return this.#publications.isWanted(kind);
  }

  /** Breaks off all transfers and removes the shared files. */
  close(why: string): void {
    this.#closed = new LimbeckError("unavailable", why);
    for (const call of this.#calls.keys()) call.abort(this.#closed);
    this.#settings.files?.close();
  }

  /** One after another, in the order they were asked for. */
  async #answerAll(call: PullCall): Promise<void> {
    const gone = new AbortController();
    call.on("cancelled", () => gone.abort(askerHasGone));
    call.on("error", () => {}); // The asker sees it, too.
    try {
      for await (const wanted of call as AsyncIterable<PullRequest__Output>)
        await this.#answer(call, wanted, gone.signal);
      call.end();
    } catch {
      call.destroy(); // The stream broke: whoever asked asks again.
    }
  }

  async #answer(call: PullCall, wanted: PullRequest__Output, gone: AbortSignal): Promise<void> {
    const abort = new AbortController();
    // Held no longer than the asker waits (L7).
    const late = setTimeout(
      () => {
        const message = `${described(wanted)} of term ${wanted.term} was not there within ${wanted.deadlineMs} ms`;
        abort.abort(new LimbeckError("timeout", message));
      },
      Math.min(wanted.deadlineMs, longestHoldMs),
    );
    const onGone = () => abort.abort(gone.reason);
    gone.addEventListener("abort", onGone);
    this.#calls.set(abort, wanted.term);
    try {
      if (this.#closed) throw this.#closed;
      checkKind(wanted);
      const publication = await this.#publications.take(wanted, abort.signal);
      await this.#send(publication, call, wanted.host, abort.signal);
    } catch (thrown) {
      const { code, message } = asLimbeckError(abort.signal.reason ?? thrown);
      if (!gone.aborted) call.write(encodePullHeader({ errorCode: code, error: message }));
    } finally {
      clearTimeout(late);
      gone.removeEventListener("abort", onGone);
      this.#calls.delete(abort);
    }
    if (!gone.aborted) call.write(endOfAnswer);
  }

  async #send(publication: Publication, call: PullCall, host: string, signal: AbortSignal): Promise<void> {
    const { payload, term, kind, step, nodes, examples, sha256, replica } = publication;
    const file = host === this.#settings.host && inSharedMemory.has(kind) ? await this.#inFile(publication) : null;
    const { checksum } = file ?? (await this.#inBytes(publication));
    signal.throwIfAborted();
    call.write(
      encodePullHeader({
        term,
        kind,
        step,
        bytes: payloadBytes(payload),
        checksum,
        nodes: nodes?.map(({ level, index }) => ({ level, index })) ?? [],
        examples: examples ? bytesOf(examples) : Buffer.alloc(0),
        sha256: sha256 ?? "",
        shmPath: file?.path ?? "",
        replica: replica?.() ?? "",
      }),
    );
    if (file) return;
    for (const piece of pieces(payload)) {
      if (!call.write(piece)) await once(call, "drain", { signal });
      signal.throwIfAborted();
    }
  }

  #inBytes(publication: Publication): Promise<{ checksum: number }> {
    const given = this.#givenOf(publication);
    given.bytes ??= checksummed(publication.payload, () => {}).then((checksum) => ({ checksum }));
    return given.bytes;
  }

  /** null where it could not be written: the payload then travels as bytes. */
  #inFile(publication: Publication): Promise<SharedFile | null> {
    const { files, note } = this.#settings;
    if (!files || this.#filesFailed) return Promise.resolve(null);
    const given = this.#givenOf(publication);
    given.file ??= files
      .write(`${publication.kind}-${publication.slice}`, publication.payload)
      .catch((thrown: Error) => {
        if (!this.#filesFailed)
          note(`peers of this host get gradients as bytes, not through shared memory: ${thrown.message}`);
        this.#filesFailed = true;
        return null;
      });
    return given.file;
  }

  #givenOf(publication: Publication): Given {
    let given = this.#given.get(publication);
    if (!given) {
      given = {};
      this.#given.set(publication, given);
    }
    return given;
  }
}
