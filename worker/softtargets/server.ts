/**
 * The teacher's side: keys in, logits out. Exact numerics evaluate every request by itself, never merged or split: bits depend on
 * the shape of a pass (L1). Fast ones merge what waits into passes of a size that is found by measuring.
 */
import type { Server, ServerDuplexStream } from "@grpc/grpc-js";
import { asLimbeckError, LimbeckError } from "../../core/errors.ts";
import type { SoftTargetRequest__Output } from "../../proto/gen/limbeck/v1/SoftTargetRequest.ts";
import type { SoftTargets } from "../../proto/gen/limbeck/v1/SoftTargets.ts";
import type { TeacherHandlers } from "../../proto/gen/limbeck/v1/Teacher.ts";
import { teacherService } from "../../proto/wire.ts";
import type { Payload } from "../exchange/payload.ts";
import { joinedIds } from "../ids.ts";
import { BatchSize } from "./batchsize.ts";
import { RequestQueue, type Waiting } from "./queue.ts";
import { type Asked, Replies, understood } from "./replies.ts";

/** The teacher of a term. */
export interface Serving {
  readonly term: number;
  /** sha256 of its weights. */
  readonly teacher: string;
  /** Digest of the dataset. */
  readonly dataset: string;
  readonly classes: number;
  /** At which students soften, for the error that a format causes. */
  readonly temperature: number;
  /** Floats of an example's inputs that come with its id; 0 where the teacher reads the dataset. */
  readonly inputFloats: number;
  /** Of the dataset: ids are below it. */
  readonly trainExamples: number;
  /** In one request. */
  readonly mostExamples: number;
  /** How many examples of several requests one pass may have; 0 where every request has its own. */
  readonly mergesUpTo: number;
  /**
   * Logits [examples, classes] of training examples under the view, in one forward pass of exactly this shape. It is
   * called again while it works, once: views are written while the device computes.
   * @param inputs those that came, in the order of the examples: float32 little-endian
   */
  answer(examples: Uint32Array, view: number, inputs: Payload): Promise<Float32Array>;
}

/** Told what is served. */
export interface ServiceHearer {
  /** @param code empty where all went well @param seconds from the request's arrival */
  served(code: string, seconds: number): void;
  /** A forward pass of so many examples begins. */
  passed(examples: number): void;
}

type Stream = ServerDuplexStream<SoftTargetRequest__Output, SoftTargets>;

interface Entry extends Waiting<Stream> {
  readonly asked: Asked;
}

/** Requests of one stream that may wait here; the rest wait in its connection, which then tells the student to hold on. */
const waitingPerStream = 32;
/** One is computed while the views of the next are written. */
export const passesUnderWay = 2;
/** Of a merged pass, before anything is measured. */
const firstBatch = 64;

export class SoftTargetServer {
  readonly #hearer: ServiceHearer;
  #serving: Serving | null = null;
  /** What every request of the job must fit: that of the last teacher, for what waits must not be large either. */
  #shape: Pick<Serving, "inputFloats" | "trainExamples" | "mostExamples"> | null = null;
  /** Of the teacher that was served last: it may come back in the next term. */
  #sized = { teacher: "", size: new BatchSize(0, 0) };
  readonly #queue = new RequestQueue<Stream, Entry>();
  readonly #replies = new Replies();
  #underWay = 0;
  #busySince = 0;
  #busyMs = 0;
  #requests = 0;
  #passes = 0;
  #held: NodeJS.Timeout | null = null;

  constructor(hearer: ServiceHearer) {
    this.#hearer = hearer;
  }

  addTo(server: Server): void {
    const handlers: TeacherHandlers = { SoftTargets: (stream) => this.#accept(stream) };
    server.addService(teacherService, handlers);
  }

  /** Answers for this teacher from now on. */
  serve(serving: Serving): void {
    this.#serving = serving;
    this.#shape = serving;
    const { teacher, mergesUpTo } = serving;
    if (teacher !== this.#sized.teacher) this.#sized = { teacher, size: new BatchSize(firstBatch, mergesUpTo) };
  }

  /** Refuses requests from now on; a forward pass that runs is finished, its answer refused. */
  stop(): void {
    this.#serving = null;
  }

  /** Since the process began; `waiting` is now, `busySeconds` the time in which at least one pass was under way. */
  get counts() {
    const running = this.#underWay > 0 ? performance.now() - this.#busySince : 0;
    const { examples, bytes, refused } = this.#replies;
    const busySeconds = (this.#busyMs + running) / 1_000;
    return {
      ...{ requests: this.#requests, passes: this.#passes, examples, bytes, refused },
      ...{ waiting: this.#queue.length, waitingExamples: this.#queue.examples, busySeconds },
    };
  }

  #accept(stream: Stream): void {
    stream.on("data", (request: SoftTargetRequest__Output) => {
      if (request.cancel) this.#queue.cancel(stream, request.request);
      else this.#add(stream, request);
      this.#work();
    });
    const leave = () => this.#queue.drop(stream);
    stream.on("end", () => stream.end());
    stream.on("cancelled", leave);
    stream.on("error", leave);
  }

  #add(stream: Stream, request: SoftTargetRequest__Output): void {
    this.#requests += 1;
    const asked = understood(request);
    const wrong = asked instanceof LimbeckError ? asked : this.#misfit(asked);
    if (asked instanceof LimbeckError || wrong) {
      this.#send(stream, this.#replies.refusal(request, wrong!), performance.now());
      return;
    }
    const nowMs = performance.now();
    this.#queue.add({
      ...{ asker: stream, request: request.request, asked },
      ...{ examples: asked.examples.length, view: asked.view },
      ...{ arrivedMs: nowMs, dueMs: nowMs + request.spareMs },
    });
    if (this.#queue.of(stream) >= waitingPerStream) stream.pause();
  }

  #work(): void {
    while (this.#underWay < passesUnderWay && this.#queue.length > 0) {
      if (this.#isWorthWaiting()) return;
      const entries = this.#queue.take(performance.now(), this.#serving?.mergesUpTo ? this.#sized.size.target : 0);
      for (const { asker } of entries) {
        if (asker.isPaused() && this.#queue.of(asker) < waitingPerStream / 2) asker.resume();
      }
      void this.#evaluate(entries);
    }
  }

  /** While the device is busy more may come to be merged; not for long, and never while it is idle. */
  #isWorthWaiting(): boolean {
    const { target, patienceMs } = this.#sized.size;
    const isFull = this.#queue.examples >= target;
    if (!this.#serving?.mergesUpTo || this.#underWay === 0 || isFull) return false;
    const leftMs = this.#queue.oldestMs! + patienceMs - performance.now();
    if (leftMs <= 0) return false;
    this.#held ??= setTimeout(() => {
      this.#held = null;
      this.#work();
    }, leftMs);
    return true;
  }

  async #evaluate(entries: readonly Entry[]): Promise<void> {
    const startedMs = performance.now();
    if (this.#underWay === 0) this.#busySince = startedMs;
    this.#underWay += 1;
    this.#passes += 1;
    this.#hearer.passed(entries.reduce((sum, each) => sum + each.examples, 0));
    const answers = await this.#answers(entries.map(({ asked }) => asked));
    this.#underWay -= 1;
    const endedMs = performance.now();
    if (this.#underWay === 0) this.#busyMs += endedMs - this.#busySince;
    const examples = entries.reduce((sum, each) => sum + each.examples, 0);
    // Of two under way each takes the time of both.
    this.#sized.size.took(examples, (endedMs - startedMs) / 1_000 / (this.#underWay + 1));
    this.#work();
    for (const [at, { asker, arrivedMs }] of entries.entries()) this.#send(asker, answers[at]!, arrivedMs);
  }

  /** One pass for all of them; what goes wrong is said to each. */
  async #answers(asked: readonly Asked[]): Promise<SoftTargets[]> {
    const refusals = asked.map((each) => this.#objection(each));
    const welcome = asked.filter((_, at) => refusals[at] === null);
    let logits: readonly Float32Array[] = [];
    let failure: LimbeckError | null = null;
    try {
      logits = welcome.length === 0 ? [] : await this.#pass(welcome);
    } catch (thrown) {
      failure = asLimbeckError(thrown);
      if (failure.code === "server_away") this.#turnAway(failure);
    }
    return asked.map((each, at) => {
      // L3. The term may have ended meanwhile, and the weights with it.
      const error = refusals[at] ?? failure ?? this.#objection(each);
      if (error) return this.#replies.refusal(each, error);
      try {
        return this.#replies.answer(each, logits[welcome.indexOf(each)]!, this.#serving!);
      } catch (thrown) {
        return this.#replies.refusal(each, asLimbeckError(thrown)); // Its format is its asker's own.
      }
    });
  }

  /** Whoever waits would only wait, in turn, for what does not come now; another teacher may have it. */
  #turnAway(why: LimbeckError): void {
    const nowMs = performance.now();
    while (this.#queue.length > 0) {
      for (const { asker, asked, arrivedMs } of this.#queue.take(nowMs, 0)) {
        this.#send(asker, this.#replies.refusal(asked, why), arrivedMs);
        if (asker.isPaused()) asker.resume();
      }
    }
  }

  async #pass(asked: readonly Asked[]): Promise<Float32Array[]> {
    const { answer, classes } = this.#serving!;
    const ids = asked.map(({ examples }) => examples);
    const inputs = asked.map((each) => each.inputs);
    const logits = await answer(joinedIds(ids), asked[0]!.view, inputs);
    let end = 0;
    return ids.map(({ length }) => {
      end += length;
      return logits.subarray((end - length) * classes, end * classes);
    });
  }

  /** Before it waits, and before it is one pass with what others asked: what no term of the job could answer. */
  #misfit({ examples, inputs }: Asked): LimbeckError | null {
    if (!this.#shape) return null;
    const { inputFloats, trainExamples, mostExamples } = this.#shape;
    const found = `${examples.length} soft targets were asked for at once`;
    if (examples.length > mostExamples) return new LimbeckError("corrupt", `${found}, at most ${mostExamples} may be`);
    const beyond = examples.find((id) => id >= trainExamples);
    if (beyond !== undefined)
      return new LimbeckError("corrupt", `example ${beyond} was asked for, the dataset has ${trainExamples}`);
    const bytes = 4 * inputFloats * examples.length;
    if (inputs.byteLength === bytes) return null;
    const came = `${inputs.byteLength} bytes of inputs came for ${examples.length} examples`;
    return new LimbeckError("corrupt", `${came}, should be ${bytes}`);
  }

  /** L3, L6. Why it cannot be answered; null where it can. An empty teacher stands for what is served: see mixed.ts. */
  #objection({ term, key }: Asked): LimbeckError | null {
    const asked = `soft targets of term ${term} were asked for, the teacher serves`;
    if (!this.#serving) return new LimbeckError("stale_term", `${asked} none now`);
    const { teacher, dataset } = this.#serving;
    if (this.#serving.term !== term) return new LimbeckError("stale_term", `${asked} term ${this.#serving.term}`);
    if ((key.teacher === "" || key.teacher === teacher) && key.dataset === dataset) return null;
    const ours = `teacher ${teacher.slice(0, 12)} on dataset ${dataset.slice(0, 12)}`;
    const theirs = `teacher ${key.teacher.slice(0, 12)} on dataset ${key.dataset.slice(0, 12)}`;
    return new LimbeckError("wrong_key", `${ours} was asked for ${theirs}`);
  }

  #send(stream: Stream, reply: SoftTargets, arrivedMs: number): void {
    this.#hearer.served(reply.errorCode ?? "", (performance.now() - arrivedMs) / 1_000);
    if (!stream.cancelled && stream.writable) stream.write(reply);
  }
}
