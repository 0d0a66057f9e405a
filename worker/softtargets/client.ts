/** The student's side: asks whichever teacher is expected to answer first, and uses only what was made for the key (L6). */
import { asLimbeckError, LimbeckError, type LimbeckErrorCode } from "../../core/errors.ts";
import type { SoftTargets__Output } from "../../proto/gen/limbeck/v1/SoftTargets.ts";
import { bytesOf } from "../bytes.ts";
import { checksum } from "../kernels/checksum.ts";
import { isOfAwayServer } from "../patience.ts";
import { addCounts, noCounts, type SoftTargetCounts } from "./counts.ts";
import { decodeLogits, formatName, type LogitsFormat, parseFormat } from "./format.ts";
import { Hedging } from "./hedging.ts";
import type { InputSource } from "./inputs.ts";
import { LostTeacher, type TeacherAddress, type TeacherLink } from "./link.ts";
import { Provenance, type SoftTargetKey } from "./provenance.ts";
import { race } from "./race.ts";
import type { SoftTargetSource, Standing } from "./source.ts";
import { Teachers, type TeachersSettings } from "./teachers.ts";

export interface SoftTargetSettings extends TeachersSettings {
  readonly teachers: readonly TeacherAddress[];
  readonly format: LogitsFormat;
  readonly classes: number;
  /** What is sent with the keys; null where the teachers read the dataset. */
  readonly inputs: InputSource | null;
  /** For whoever was asked to answer. */
  readonly deadlineMs: number;
  /** Told how a teacher's answer ended: well, or with which error, and how long it took. */
  onAnswer?(code: LimbeckErrorCode | "ok", seconds: number): void;
  /** Told of logits that came damaged and are asked for again. */
  onCorrupted?(worker: string, why: string): void;
}

/** Empty where the teachers read the dataset. */
interface SentInputs {
  readonly bytes: Uint8Array;
  readonly checksum: number;
}

/** A request of a student. */
interface Pursuit {
  readonly key: SoftTargetKey;
  readonly inputs: SentInputs;
  /** When it is needed. */
  readonly dueMs: number;
  readonly signal: AbortSignal;
}

const noInputs: SentInputs = { bytes: new Uint8Array(0), checksum: 0 };

/** Logits that arrive damaged are asked for this often in all. */
const attempts = 3;

export class SoftTargetClient implements SoftTargetSource {
  readonly #settings: SoftTargetSettings;
  readonly #teachers: Teachers;
  readonly #provenance: Provenance;
  readonly #closed = new AbortController();
  readonly #hedging = new Hedging();
  #requests = 0;
  #counts = noCounts;

  constructor(settings: SoftTargetSettings) {
    this.#settings = settings;
    this.#provenance = new Provenance(settings.term);
    this.#teachers = new Teachers(settings);
    this.teachersAre(settings.teachers);
  }

  teachersAre(teachers: readonly TeacherAddress[]): void {
    this.#teachers.are(teachers);
  }

  /**
   * Logits [examples, classes]. Of a teacher that is lost another is asked at once; where the first is late, a second is
   * asked, too, and the answer that comes first is taken (Dean and Barroso 2013, "The Tail at Scale"). With no teacher
   * left it waits for one that is back, or for the signal: another term may have one.
   */
  async request(key: SoftTargetKey, signal: AbortSignal, spareMs = 0): Promise<Float32Array> {
    const { mostExamples = Number.POSITIVE_INFINITY } = this.#settings.inputs ?? {};
    if (key.examples.length > mostExamples) return await this.#requestInParts(key, mostExamples, { signal, spareMs });
    const ended = AbortSignal.any([signal, this.#closed.signal]);
    const dueMs = performance.now() + spareMs;
    const source = this.#settings.inputs;
    const inputs = source ? await sentInputs(source, key) : noInputs;
    for (let damaged = 0; ; ) {
      ended.throwIfAborted();
      const link = this.#teachers.soonest(key.examples.length) ?? (await this.#teachers.strand(ended));
      const askedMs = performance.now();
      const answered = (code: LimbeckErrorCode | "ok") =>
        this.#settings.onAnswer?.(code, (performance.now() - askedMs) / 1_000);
      try {
        const logits = await this.#attempt(link, { key, inputs, dueMs, signal: ended });
        answered("ok");
        return logits;
      } catch (thrown) {
        if (ended.aborted) throw ended.reason;
        answered(asLimbeckError(thrown).code);
        const isDamaged = thrown instanceof LimbeckError && thrown.code === "corrupt";
        if (!isDamaged && !(thrown instanceof LostTeacher) && !isOfAwayServer(thrown)) throw thrown;
        if (isDamaged && ++damaged >= attempts) throw thrown;
        this.#count({ askedAgain: 1 });
      }
    }
  }

  /** What one message does not hold. Never a lane in exact numerics, which may not be cut (checkInputsFit). */
  async #requestInParts(
    key: SoftTargetKey,
    mostExamples: number,
    { signal, spareMs }: { readonly signal: AbortSignal; readonly spareMs: number },
  ): Promise<Float32Array> {
    const { classes } = this.#settings;
    const logits = new Float32Array(key.examples.length * classes);
    const starts = Array.from({ length: Math.ceil(key.examples.length / mostExamples) }, (_, at) => at * mostExamples);
    const ask = async (from: number) => {
      const examples = key.examples.subarray(from, from + mostExamples);
      logits.set(await this.request({ ...key, examples }, signal, spareMs), from * classes);
    };
    await Promise.all(starts.map(ask));
    return logits;
  }

  takeCounts(): SoftTargetCounts {
    const counts = this.#counts;
    this.#counts = noCounts;
    return counts;
  }

  /** Digest of what its teachers serve, as the replies so far said; null before the first. */
  get servedSha256(): string | null {
    return this.#provenance.teacher;
  }

  get latencyMs(): number | null {
    return this.#hedging.latencyMs;
  }

  get waitingFor(): string {
    return this.#teachers.waitingFor;
  }

  get standing(): Standing {
    return this.#teachers.standing;
  }

  get isStranded(): boolean {
    return this.#teachers.isStranded;
  }

  get isServerAway(): boolean {
    return this.#teachers.isServerAway;
  }

  close(): void {
    const { term } = this.#settings;
    const why = new LimbeckError("stopped", `the soft targets of term ${term} are no longer needed`);
    this.#closed.abort(why);
    this.#teachers.close(why);
  }

  async #attempt(first: TeacherLink, { key, inputs, dueMs, signal }: Pursuit): Promise<Float32Array> {
    const { term, format, deadlineMs } = this.#settings;
    const examples = key.examples.length;
    const startedMs = performance.now();
    const { reply, from } = await race(first, {
      ask: (link) => {
        const spareMs = Math.max(0, Math.round(dueMs - performance.now()));
        const wanted = { term, request: ++this.#requests, format: formatName(format), spareMs };
        const sent = { inputs: inputs.bytes, inputsChecksum: inputs.checksum };
        this.#count({ softTargetInputBytes: inputs.bytes.byteLength });
        return link.ask({ ...wanted, ...sent, key: { ...key, examples: bytesOf(key.examples) } }, examples);
      },
      second: (asked) => {
        const other = this.#hedging.isLeft ? this.#teachers.soonest(examples, asked) : null;
        if (!other) return null;
        this.#hedging.spend();
        this.#count({ hedged: 1 });
        return other;
      },
      hedgeMs: Math.min(this.#hedging.afterMs(dueMs - startedMs), deadlineMs),
      deadlineMs,
      what: `${examples} soft targets`,
      signal,
    });
    const logits = this.#logits(from, { key, inputs }, reply);
    this.#hedging.answered(performance.now() - startedMs);
    return logits;
  }

  #logits(
    from: TeacherLink,
    { key, inputs }: Pick<Pursuit, "key" | "inputs">,
    reply: SoftTargets__Output,
  ): Float32Array {
    const { classes } = this.#settings;
    try {
      this.#provenance.check(from.worker, key, inputs.checksum, reply);
      const format = parseFormat(reply.format);
      if (!format) throw new LimbeckError("internal", `${from.worker} answered with logits as "${reply.format}"`);
      const logits = decodeLogits(reply.logits, format, { examples: key.examples.length, classes });
      from.succeeded();
      const { payloadError } = reply;
      this.#count({
        softTargets: key.examples.length,
        softTargetBytes: reply.logits.byteLength,
        ...(payloadError && { payloadError }),
      });
      return logits;
    } catch (thrown) {
      if (thrown instanceof LimbeckError && thrown.code === "corrupt") {
        this.#settings.onCorrupted?.(from.worker, thrown.message);
      }
      if (isOfAwayServer(thrown)) from.rest(thrown.message);
      // Another term has begun, which will end this request; or the teacher alone has left this one, and another answers.
      if (thrown instanceof LimbeckError && thrown.code === "stale_term") {
        const lost = new LostTeacher("lost_worker", thrown.message);
        from.fail(lost);
        throw lost;
      }
      throw thrown;
    }
  }

  #count(more: Partial<SoftTargetCounts>): void {
    this.#counts = addCounts(this.#counts, more);
  }
}

async function sentInputs(source: InputSource, { examples, view }: SoftTargetKey): Promise<SentInputs> {
  const bytes = bytesOf(await source.of(examples, view));
  return { bytes, checksum: checksum(bytes, 0) };
}
