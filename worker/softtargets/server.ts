/** The teacher's side: keys in, logits out. One forward pass per request, never merged or split: bits depend on its shape (L1). */
import { crc32 } from "node:zlib";
import type { Server, ServerDuplexStream } from "@grpc/grpc-js";
import { asLimbeckError, LimbeckError } from "../../core/errors.ts";
import type { SoftTargetRequest__Output } from "../../proto/gen/limbeck/v1/SoftTargetRequest.ts";
import type { SoftTargets } from "../../proto/gen/limbeck/v1/SoftTargets.ts";
import type { TeacherHandlers } from "../../proto/gen/limbeck/v1/Teacher.ts";
import { teacherService } from "../../proto/wire.ts";
import { encodeLogits, isLogitsFormat } from "./format.ts";

/** The teacher of a term. */
export interface Serving {
  readonly term: number;
  /** sha256 of its weights. */
  readonly teacher: string;
  /** Digest of the dataset. */
  readonly dataset: string;
  /** Logits [examples, classes] of training examples under the view, in one forward pass of exactly this shape. */
  answer(examples: Uint32Array, view: number): Promise<Float32Array>;
}

type Stream = ServerDuplexStream<SoftTargetRequest__Output, SoftTargets>;

/** Requests of one stream that may wait here; the rest wait in its connection, which then tells the student to hold on. */
const waitingPerStream = 32;

export class SoftTargetServer {
  #serving: Serving | null = null;
  /** Students whose requests wait, the one whose turn it is first. */
  readonly #queues = new Map<Stream, SoftTargetRequest__Output[]>();
  #working = false;
  #requests = 0;
  #examples = 0;
  #bytes = 0;
  #refused = 0;

  addTo(server: Server): void {
    const handlers: TeacherHandlers = { SoftTargets: (stream) => this.#accept(stream) };
    server.addService(teacherService, handlers);
  }

  /** Answers for this teacher from now on. */
  serve(serving: Serving): void {
    this.#serving = serving;
  }

  /** Refuses requests from now on; a forward pass that runs is finished, its answer refused. */
  stop(): void {
    this.#serving = null;
  }

  /** Since the process began; `waiting` is now. */
  get counts(): { requests: number; examples: number; bytes: number; refused: number; waiting: number } {
    const waiting = [...this.#queues.values()].reduce((total, queue) => total + queue.length, 0);
    return { requests: this.#requests, examples: this.#examples, bytes: this.#bytes, refused: this.#refused, waiting };
  }

  #accept(stream: Stream): void {
    const leave = () => {
      this.#queues.delete(stream);
    };
    stream.on("data", (request: SoftTargetRequest__Output) => {
      const queue = this.#queues.get(stream) ?? [];
      this.#queues.set(stream, queue);
      queue.push(request);
      if (queue.length >= waitingPerStream) stream.pause();
      void this.#work();
    });
    stream.on("end", () => stream.end());
    stream.on("cancelled", leave);
    stream.on("error", leave);
  }

  async #work(): Promise<void> {
    if (this.#working) return;
    this.#working = true;
    for (let next = this.#next(); next; next = this.#next()) {
      const { stream, request } = next;
      const reply = await this.#reply(request);
      if (!stream.cancelled && stream.writable) stream.write(reply);
    }
    this.#working = false;
  }

  /** The students in turn: one that asks far ahead does not hold up the others. */
  #next(): { stream: Stream; request: SoftTargetRequest__Output } | null {
    const first = this.#queues.entries().next();
    if (first.done) return null;
    const [stream, queue] = first.value;
    const request = queue.shift()!;
    this.#queues.delete(stream);
    if (queue.length > 0) this.#queues.set(stream, queue);
    if (stream.isPaused() && queue.length < waitingPerStream / 2) stream.resume();
    return { stream, request };
  }

  async #reply(request: SoftTargetRequest__Output): Promise<SoftTargets> {
    this.#requests += 1;
    const { term, request: number } = request;
    try {
      const reply = { term, request: number, ...(await this.#answer(request)) };
      this.#examples += request.key!.examples.byteLength / 4;
      this.#bytes += reply.logits.byteLength;
      return reply;
    } catch (thrown) {
      this.#refused += 1;
      const { code, message } = asLimbeckError(thrown);
      return { term, request: number, errorCode: code, error: message };
    }
  }

  async #answer({ term, key, format: asked }: SoftTargetRequest__Output) {
    const { teacher, dataset, answer } = this.#servingFor(term);
    if (!key || !isLogitsFormat(asked) || key.examples.byteLength % 4 !== 0) {
      throw new LimbeckError("internal", `a request for soft targets as "${asked}" that is not well-formed`);
    }
    // L6. An empty teacher stands for the one the workers loaded themselves.
    if ((key.teacher !== "" && key.teacher !== teacher) || key.dataset !== dataset) {
      const ours = `teacher ${teacher.slice(0, 12)} on dataset ${dataset.slice(0, 12)}`;
      throw new LimbeckError(
        "wrong_key",
        `${ours} was asked for teacher ${key.teacher.slice(0, 12)} on dataset ${key.dataset.slice(0, 12)}`,
      );
    }
    const examples = new Uint32Array(new Uint8Array(key.examples).buffer);
    const logits = await answer(examples, key.view);
    this.#servingFor(term); // L3. The term may have ended meanwhile, and the weights with it.
    const { format, bytes } = encodeLogits(logits, asked);
    const provenance = { teacher, dataset, view: key.view, examplesCrc32: crc32(key.examples) };
    return { ...provenance, format, logits: bytes, logitsCrc32: crc32(bytes) };
  }

  /** L3. What is served, where it is of this term. */
  #servingFor(term: number): Serving {
    if (!this.#serving)
      throw new LimbeckError("stale_term", `soft targets of term ${term} were asked for, the teacher serves none now`);
    if (this.#serving.term !== term) {
      throw new LimbeckError(
        "stale_term",
        `soft targets of term ${term} were asked for, the teacher serves term ${this.#serving.term}`,
      );
    }
    return this.#serving;
  }
}
