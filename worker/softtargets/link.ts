/** One teacher as a student knows it: its stream, what it owes, how fast it is, and whether it is to be asked at all. */
import type { ClientDuplexStream } from "@grpc/grpc-js";
import { LimbeckError } from "../../core/errors.ts";
import type { SoftTargetRequest } from "../../proto/gen/limbeck/v1/SoftTargetRequest.ts";
import type { SoftTargets__Output } from "../../proto/gen/limbeck/v1/SoftTargets.ts";
import type { TeacherClient } from "../../proto/gen/limbeck/v1/Teacher.ts";
import { errorOfCall } from "../../proto/status.ts";
import { type Calling, teacherClient } from "../../proto/wire.ts";
import { CircuitBreaker } from "./breaker.ts";

export interface TeacherAddress {
  readonly worker: string;
  /** host:port */
  readonly address: string;
}

export interface PartTeacher extends TeacherAddress {
  /** Which part of the teacher it serves, by its place in core/teacherparts.ts. */
  readonly part: number;
}

interface Owed {
  readonly examples: number;
  readonly sentMs: number;
  resolve(reply: SoftTargets__Output): void;
  reject(error: LimbeckError): void;
}

/** An answer that is on its way. */
export interface Answer {
  readonly reply: Promise<SoftTargets__Output>;
  /** Another has answered: the teacher need not. */
  cancel(): void;
}

/** What a teacher was asked for, another may still give. */
export class LostTeacher extends LimbeckError {}

type Stream = ClientDuplexStream<SoftTargetRequest, SoftTargets__Output>;

/** Of a stream that broke; a coordinator that knows the teacher to be dead opens another term before long. */
const backoff = { firstMs: 100, longestMs: 5_000 };
/** Weight of the newest measurement. */
const newest = 0.2;

export class TeacherLink {
  readonly worker: string;
  readonly breaker: CircuitBreaker;
  readonly #address: string;
  readonly #client: TeacherClient;
  readonly #broke: (link: TeacherLink, why: LimbeckError) => void;
  readonly #owed = new Map<number, Owed>();
  #stream: Stream | null = null;
  #owedExamples = 0;
  /** Seconds an example takes here, work of others included; null before the first answer. */
  #pace: number | null = null;
  #lastAnswerMs = 0;
  #isClosed = false;
  #breaks = 0;
  #away = "";

  /** @param broke told of every stream that broke, after what it owed has been rejected */
  constructor(
    { worker, address }: TeacherAddress,
    broke: (link: TeacherLink, why: LimbeckError) => void,
    { random, calling }: { readonly random: () => number; readonly calling?: Calling },
  ) {
    this.worker = worker;
    this.#address = address;
    this.#broke = broke;
    this.#client = teacherClient(address, calling);
    this.breaker = new CircuitBreaker(backoff, random);
    this.#connect(); // At once: a teacher that cannot be reached is known before it is needed.
  }

  reaches({ worker, address }: TeacherAddress): boolean {
    return worker === this.worker && address === this.#address;
  }

  get owed(): number {
    return this.#owed.size;
  }

  get pace(): number | null {
    return this.#pace;
  }

  /** Streams that broke in a row. */
  get breaks(): number {
    return this.#breaks;
  }

  /** Why it cannot answer now, in its own words; empty where it may. */
  get away(): string {
    return this.#away;
  }

  /** In how many seconds it would have answered for so many more, at a pace to be used where its own is not known. */
  expectedSeconds(examples: number, otherwise: number): number {
    return (this.#owedExamples + examples) * (this.#pace ?? otherwise);
  }

  /** @throws nothing: a request that cannot be sent is rejected */
  ask(request: SoftTargetRequest & { readonly term: number; readonly request: number }, examples: number): Answer {
    this.breaker.sent();
    const { term, request: number } = request;
    const reply = new Promise<SoftTargets__Output>((resolve, reject) => {
      this.#owed.set(number, { examples, sentMs: performance.now(), resolve, reject });
    });
    reply.catch(() => {}); // Who has lost interest is not told of it as unhandled.
    this.#owedExamples += examples;
    (this.#stream ?? this.#connect()).write(request);
    const cancel = () => {
      if (!this.#take(number)) return;
      this.breaker.abandoned();
      this.#stream?.write({ term, request: number, cancel: true });
    };
    return { reply, cancel };
  }

  /** It gave what was asked for. */
  succeeded(): void {
    this.breaker.succeeded();
    this.#breaks = 0;
    this.#away = "";
  }

  /** It lives and cannot answer: it is asked nothing for a while. All that it owes is refused alike, which counts once. */
  rest(why: string): void {
    const nowMs = performance.now();
    if (nowMs >= this.breaker.openUntilMs) this.breaker.failed(nowMs);
    this.#away = why;
  }

  /** It is asked nothing for a while: what it owes is rejected, its stream given up. */
  fail(why: LimbeckError): void {
    this.breaker.failed(performance.now());
    this.#breaks += 1;
    this.#away = "";
    const stream = this.#stream;
    this.#stream = null;
    stream?.cancel();
    const owed = [...this.#owed.values()];
    this.#owed.clear();
    this.#owedExamples = 0;
    for (const { reject } of owed) reject(why);
    this.#broke(this, why);
  }

  close(why: LimbeckError): void {
    this.#isClosed = true;
    for (const { reject } of this.#owed.values()) reject(why);
    this.#owed.clear();
    this.#owedExamples = 0;
    this.#stream?.cancel();
    this.#client.close();
  }

  #connect(): Stream {
    const stream = this.#client.softTargets();
    this.#stream = stream;
    stream.on("data", (reply: SoftTargets__Output) => this.#hear(reply));
    const lose = (cause: unknown, why: string) => {
      if (this.#isClosed || stream !== this.#stream) return;
      const message = `the stream of soft targets from ${this.worker} (${this.#address}) broke: ${why}`;
      this.fail(new LostTeacher("lost_worker", message, { cause }));
    };
    stream.on("error", (error) => lose(error, errorOfCall(error, this.worker).message));
    stream.on("end", () => lose(undefined, "the teacher ended it"));
    return stream;
  }

  #hear(reply: SoftTargets__Output): void {
    const owed = this.#take(reply.request);
    if (!owed) return; // It was cancelled when its answer was on the way.
    const nowMs = performance.now();
    // From when it could have begun with this one.
    const tookMs = nowMs - Math.max(owed.sentMs, this.#lastAnswerMs);
    this.#lastAnswerMs = nowMs;
    if (owed.examples > 0) {
      const pace = tookMs / 1_000 / owed.examples;
      this.#pace = this.#pace === null ? pace : this.#pace + newest * (pace - this.#pace);
    }
    owed.resolve(reply);
  }

  #take(request: number): Owed | null {
    const owed = this.#owed.get(request);
    if (!owed) return null;
    this.#owed.delete(request);
    this.#owedExamples -= owed.examples;
    return owed;
  }
}
