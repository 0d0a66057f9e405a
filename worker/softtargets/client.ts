/** The student's side: asks teachers for logits and uses only those made for the key it asked with (L6). */
import { crc32 } from "node:zlib";
import type { ClientDuplexStream } from "@grpc/grpc-js";
import { LimbeckError } from "../../core/errors.ts";
import type { SoftTargetRequest } from "../../proto/gen/limbeck/v1/SoftTargetRequest.ts";
import type { SoftTargets__Output } from "../../proto/gen/limbeck/v1/SoftTargets.ts";
import type { TeacherClient } from "../../proto/gen/limbeck/v1/Teacher.ts";
import { errorOfCall, isErrorCode } from "../../proto/status.ts";
import { teacherClient } from "../../proto/wire.ts";
import { decodeLogits, isLogitsFormat, type LogitsFormat } from "./format.ts";

/** What soft targets are made for. */
export interface SoftTargetKey {
  /** sha256 of the teacher's weights; "" for the one the teachers loaded themselves, which must be the same for all. */
  readonly teacher: string;
  /** Digest of the dataset. */
  readonly dataset: string;
  /** Ids in the training split: one lane batch, one forward pass. */
  readonly examples: Uint32Array;
  /** The epoch, or 0 where the stage has no augmented views. */
  readonly view: number;
}

export interface SoftTargetSettings {
  readonly term: number;
  readonly teachers: readonly { readonly worker: string; readonly address: string }[];
  readonly format: LogitsFormat;
  readonly classes: number;
  /** For each request. */
  readonly deadlineMs: number;
  /** Told of a teacher that broke off or did not answer; it is asked no more. */
  onLost?(worker: string, why: string): void;
  /** Told of logits that came damaged and are asked for again. */
  onCorrupted?(worker: string, why: string): void;
}

interface Teacher {
  readonly worker: string;
  readonly client: TeacherClient;
  readonly stream: ClientDuplexStream<SoftTargetRequest, SoftTargets__Output>;
  /** What it has been asked and not yet answered, by number. */
  readonly outstanding: Map<number, { resolve(reply: SoftTargets__Output): void; reject(error: LimbeckError): void }>;
  lost: LimbeckError | null;
}

/** Logits that arrive damaged are asked for this often in all. */
const attempts = 3;

export class SoftTargetClient {
  readonly #settings: SoftTargetSettings;
  readonly #teachers: readonly Teacher[];
  readonly #closed = new AbortController();
  #requests = 0;
  /** Requests that no teacher is left for. */
  #stranded = 0;
  #counts = { softTargets: 0, softTargetBytes: 0 };
  /** The teacher the first reply came from, where the key does not say. */
  #loaded: string | null = null;

  constructor(settings: SoftTargetSettings) {
    this.#settings = settings;
    this.#teachers = settings.teachers.map((teacher) => this.#connect(teacher));
  }

  /**
   * Logits [examples, classes], from the teacher that has least to do; of one that is lost another is asked at once.
   * With none left it waits for the signal: another term will have a teacher.
   * @throws wrong_key, stale_term, corrupt, or the signal's reason
   */
  async request(key: SoftTargetKey, signal: AbortSignal): Promise<Float32Array> {
    for (let attempt = 1; ; attempt++) {
      const teacher = this.#leastBusy();
      if (!teacher) return await this.#strand(signal);
      try {
        const reply = await this.#ask(teacher, key, signal);
        return this.#logits(teacher, key, reply);
      } catch (thrown) {
        if (teacher.lost !== null && thrown === teacher.lost) continue; // Another one answers, if there is one.
        if (!(thrown instanceof LimbeckError) || thrown.code !== "corrupt") throw thrown;
        this.#settings.onCorrupted?.(teacher.worker, thrown.message);
        if (attempt >= attempts) throw thrown;
      }
    }
  }

  /** Never resolves: rejects as the signal says. */
  async #strand(signal: AbortSignal): Promise<never> {
    this.#stranded += 1;
    try {
      return await new Promise<never>((_, reject) => {
        const ended = AbortSignal.any([signal, this.#closed.signal]);
        if (ended.aborted) reject(ended.reason);
        ended.addEventListener("abort", () => reject(ended.reason), { once: true });
      });
    } finally {
      this.#stranded -= 1;
    }
  }

  /** Soft targets and bytes received since the last call. */
  takeCounts(): { softTargets: number; softTargetBytes: number } {
    const counts = this.#counts;
    this.#counts = { softTargets: 0, softTargetBytes: 0 };
    return counts;
  }

  /** The teachers whose answers are awaited, in words; empty where none (L7). */
  get waitingFor(): string {
    if (this.#stranded > 0) return `a teacher: none is left in term ${this.#settings.term}`;
    const busy = this.#teachers.filter(({ outstanding }) => outstanding.size > 0);
    return busy.map(({ worker, outstanding }) => `${outstanding.size} answers of ${worker}`).join(", ");
  }

  /** Ends the streams; what is outstanding fails with `stopped`. */
  close(): void {
    this.#closed.abort(closedError(this.#settings.term));
    for (const teacher of this.#teachers) {
      this.#lose(teacher, this.#closed.signal.reason as LimbeckError);
      teacher.stream.cancel();
      teacher.client.close();
    }
  }

  #connect({ worker, address }: { worker: string; address: string }): Teacher {
    const client = teacherClient(address);
    const stream = client.softTargets();
    const teacher: Teacher = { worker, client, stream, outstanding: new Map(), lost: null };
    stream.on("data", (reply: SoftTargets__Output) => {
      const asked = teacher.outstanding.get(reply.request);
      teacher.outstanding.delete(reply.request);
      asked?.resolve(reply);
    });
    const lose = (cause: unknown, why: string) =>
      this.#lose(
        teacher,
        new LimbeckError("lost_worker", `the stream of soft targets from ${worker} (${address}) broke: ${why}`, {
          cause,
        }),
      );
    stream.on("error", (error) => lose(error, errorOfCall(error, worker).message));
    stream.on("end", () => lose(undefined, "the teacher ended it"));
    return teacher;
  }

  #lose(teacher: Teacher, why: LimbeckError): void {
    if (teacher.lost) return;
    teacher.lost = why;
    if (!this.#closed.signal.aborted) this.#settings.onLost?.(teacher.worker, why.message);
    for (const { reject } of teacher.outstanding.values()) reject(why);
    teacher.outstanding.clear();
  }

  #leastBusy(): Teacher | null {
    const [first, ...others] = this.#teachers.filter(({ lost }) => lost === null);
    if (!first) return null;
    return others.reduce(
      (least, teacher) => (teacher.outstanding.size < least.outstanding.size ? teacher : least),
      first,
    );
  }

  async #ask(teacher: Teacher, key: SoftTargetKey, signal: AbortSignal): Promise<SoftTargets__Output> {
    signal.throwIfAborted();
    const { term, format, deadlineMs } = this.#settings;
    const request = ++this.#requests;
    const { promise, resolve, reject } = withResolvers<SoftTargets__Output>();
    const late = setTimeout(() => {
      const asked = `${key.examples.length} soft targets`;
      const message = `${teacher.worker} did not answer for ${asked} within ${deadlineMs} ms`;
      this.#lose(teacher, new LimbeckError("timeout", message)); // Rejects this request with the others.
    }, deadlineMs);
    const onAbort = () => reject(signal.reason);
    signal.addEventListener("abort", onAbort);
    teacher.outstanding.set(request, { resolve, reject });
    try {
      teacher.stream.write({ term, request, format, key: { ...key, examples: idBytes(key.examples) } });
      return await promise;
    } finally {
      clearTimeout(late);
      signal.removeEventListener("abort", onAbort);
      teacher.outstanding.delete(request);
    }
  }

  #logits({ worker }: Teacher, key: SoftTargetKey, reply: SoftTargets__Output): Float32Array {
    const { term, classes } = this.#settings;
    if (reply.errorCode !== "") {
      const code = isErrorCode(reply.errorCode) ? reply.errorCode : "internal";
      throw new LimbeckError(code, `${worker}: ${reply.error}`);
    }
    if (reply.term !== term)
      throw new LimbeckError("stale_term", `${worker} answered for term ${reply.term} in term ${term}`);
    this.#check(worker, key, reply);
    if (!isLogitsFormat(reply.format))
      throw new LimbeckError("internal", `${worker} answered with logits as "${reply.format}"`);
    const checksum = crc32(reply.logits);
    if (checksum !== reply.logitsCrc32) {
      throw new LimbeckError(
        "corrupt",
        `soft targets from ${worker} arrived damaged: CRC-32 is ${checksum}, should be ${reply.logitsCrc32}`,
      );
    }
    const logits = decodeLogits(reply.logits, reply.format, key.examples.length * classes);
    this.#counts.softTargets += key.examples.length;
    this.#counts.softTargetBytes += reply.logits.byteLength;
    return logits;
  }

  /** L6. The reply must be for the very key that was asked with. */
  #check(worker: string, key: SoftTargetKey, reply: SoftTargets__Output): void {
    const asked = {
      teacher: key.teacher || (this.#loaded ?? reply.teacher),
      dataset: key.dataset,
      view: key.view,
      examples: crc32(idBytes(key.examples)),
    };
    const given = { teacher: reply.teacher, dataset: reply.dataset, view: reply.view, examples: reply.examplesCrc32 };
    for (const part of ["teacher", "dataset", "view", "examples"] as const) {
      if (given[part] !== asked[part]) {
        throw new LimbeckError(
          "wrong_key",
          `${worker} answered for ${part} ${given[part]}, asked for was ${asked[part]}`,
        );
      }
    }
    this.#loaded = reply.teacher;
  }
}

function closedError(term: number): LimbeckError {
  return new LimbeckError("stopped", `the soft targets of term ${term} are no longer needed`);
}

function idBytes(ids: Uint32Array): Uint8Array {
  return new Uint8Array(ids.buffer, ids.byteOffset, ids.byteLength);
}

function withResolvers<T>() {
  let resolve!: (value: T) => void;
  let reject!: (reason: unknown) => void;
  const promise = new Promise<T>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
}
