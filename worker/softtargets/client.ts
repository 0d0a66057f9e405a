/** The student's side: asks whichever teacher is expected to answer first, and uses only what was made for the key (L6). */
import { setTimeout } from "node:timers/promises";
import { asLimbeckError, LimbeckError, type LimbeckErrorCode } from "../../core/errors.ts";
import type { SoftTargets__Output } from "../../proto/gen/limbeck/v1/SoftTargets.ts";
import type { Calling } from "../../proto/wire.ts";
import { bytesOf } from "../exchange/payload.ts";
import { checksum } from "../kernels/checksum.ts";
import { isOfAwayServer } from "../patience.ts";
import type { BreakerState } from "./breaker.ts";
import { decodeLogits, formatName, type LogitsFormat, parseFormat } from "./format.ts";
import { HedgeBudget } from "./hedgebudget.ts";
import type { InputSource } from "./inputs.ts";
import { Latencies } from "./latency.ts";
import { LostTeacher, type PartTeacher, type TeacherAddress, TeacherLink } from "./link.ts";
import { addPayloadErrors, noPayloadError, type PayloadError } from "./payloaderror.ts";
import { Provenance, type SoftTargetKey } from "./provenance.ts";
import { race } from "./race.ts";

export interface SoftTargetSettings {
  readonly term: number;
  readonly teachers: readonly TeacherAddress[];
  /** What they serve, as the job names it; "teacher" for the whole. */
  readonly field: string;
  readonly format: LogitsFormat;
  readonly classes: number;
  /** What is sent with the keys; null where the teachers read the dataset. */
  readonly inputs: InputSource | null;
  /** For whoever was asked to answer. */
  readonly deadlineMs: number;
  /** What to do where no teacher is left: wait for one, or fail. */
  readonly onNoTeacher: "wait" | "fail";
  /** In [0, 1): spreads what is tried again. */
  readonly random: () => number;
  /** How teachers are called. */
  readonly calling?: Calling;
  /** Told how a teacher's answer ended: well, or with which error, and how long it took. */
  onAnswer?(code: LimbeckErrorCode | "ok", seconds: number): void;
  /** Told of a teacher that broke off and cannot be reached again, or did not answer in time. */
  onLost?(worker: string, why: string): void;
  /** Told of logits that came damaged and are asked for again. */
  onCorrupted?(worker: string, why: string): void;
}

/** What was done since the last call of `takeCounts`. */
export interface SoftTargetCounts {
  readonly softTargets: number;
  readonly softTargetBytes: number;
  readonly softTargetInputBytes: number;
  readonly hedged: number;
  readonly askedAgain: number;
  readonly payloadError: PayloadError;
}

/** Empty where the teachers read the dataset. */
interface SentInputs {
  readonly bytes: Uint8Array;
  readonly checksum: number;
}

export interface Standing {
  readonly awaited: number;
  /** Of those that nobody can be asked for. */
  readonly stranded: number;
  readonly breakers: Readonly<Record<BreakerState, number>>;
}

/** Whoever a student asks for soft targets. */
export interface SoftTargetSource {
  /**
   * Logits [examples, classes].
   * @param spareMs until it is needed
   * @throws wrong_key, corrupt, unavailable, server_away, or the signal's reason
   */
  request(key: SoftTargetKey, signal: AbortSignal, spareMs?: number): Promise<Float32Array>;
  /** Since the last call. */
  takeCounts(): SoftTargetCounts;
  /** How long answers take, at the share of them that is late; null before anything is known. */
  readonly latencyMs: number | null;
  /** The teachers whose answers are awaited, in words; empty where none (L7). */
  readonly waitingFor: string;
  /** Something is asked for that no teacher is left to answer. */
  readonly isStranded: boolean;
  /** Something is asked for that nobody can answer before a server is back that a teacher asks. */
  readonly isServerAway: boolean;
  /** Requests whose answers are on their way, those that nobody can be asked for, and how many teachers have their breaker in each state. */
  readonly standing: Standing;
  /** Whom to ask from now on: what is owed by one that is not among them is asked of another. */
  teachersAre(teachers: readonly PartTeacher[]): void;
  /** Ends the streams; what is outstanding fails with `stopped`. */
  close(): void;
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

const noCounts: SoftTargetCounts = {
  ...{ softTargets: 0, softTargetBytes: 0, softTargetInputBytes: 0, hedged: 0, askedAgain: 0 },
  payloadError: noPayloadError,
};

/** Logits that arrive damaged are asked for this often in all. */
const attempts = 3;
/** The share of answers after which a request is late. */
const late = 0.95;
/** Before so many answers are measured, nobody knows what is late. */
const enough = 16;
const unknownLatencyMs = 1_000;
/** Between two looks whether a teacher is back, where none says when. */
const longestNapMs = 250;
/** Seconds an example takes, where no teacher has shown it: only their order matters. */
const unknownPace = 1e-3;

export class SoftTargetClient implements SoftTargetSource {
  readonly #settings: SoftTargetSettings;
  #links: readonly TeacherLink[] = [];
  readonly #provenance: Provenance;
  readonly #closed = new AbortController();
  readonly #latencies = new Latencies();
  readonly #hedges = new HedgeBudget();
  #requests = 0;
  /** Requests that no teacher is left for. */
  #stranded = 0;
  #counts = noCounts;

  constructor(settings: SoftTargetSettings) {
    this.#settings = settings;
    this.#provenance = new Provenance(settings.term);
    this.teachersAre(settings.teachers);
  }

  teachersAre(teachers: readonly TeacherAddress[]): void {
    const { term, onLost } = this.#settings;
    const broke = ({ worker, breaks }: TeacherLink, why: LimbeckError) => {
      // A stream that broke once may only have broken: who does not come back either is lost.
      if (breaks === 2 || why.code === "timeout") onLost?.(worker, why.message);
    };
    const before = this.#links;
    this.#links = teachers.map(
      (teacher) => before.find((link) => link.reaches(teacher)) ?? new TeacherLink(teacher, broke, this.#settings),
    );
    for (const link of before) {
      if (this.#links.includes(link)) continue;
      link.close(new LostTeacher("lost_worker", `${link.worker} does not serve in term ${term} any more`));
    }
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
      const link = this.#soonest(key.examples.length) ?? (await this.#strand(ended));
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
    return this.#latencies.quantile(late);
  }

  get waitingFor(): string {
    if (this.#stranded > 0) return `a ${this.#whom}: ${this.#away || `none is left in term ${this.#settings.term}`}`;
    const busy = this.#links.filter(({ owed }) => owed > 0);
    return busy.map(({ worker, owed }) => `${owed} answers of ${worker}`).join(", ");
  }

  get standing(): Standing {
    const breakers = { closed: 0, half_open: 0, open: 0 };
    const nowMs = performance.now();
    for (const { breaker } of this.#links) breakers[breaker.state(nowMs)] += 1;
    return { awaited: this.#links.reduce((sum, { owed }) => sum + owed, 0), stranded: this.#stranded, breakers };
  }

  get isStranded(): boolean {
    return this.#stranded > 0 && this.#away === "";
  }

  /** Something is asked for that nobody can answer before a server is back that a teacher asks. */
  get isServerAway(): boolean {
    return this.#stranded > 0 && this.#away !== "";
  }

  get #whom(): string {
    const { field } = this.#settings;
    return field === "teacher" ? field : `teacher for ${field}`;
  }

  close(): void {
    const { term } = this.#settings;
    const why = new LimbeckError("stopped", `the soft targets of term ${term} are no longer needed`);
    this.#closed.abort(why);
    for (const link of this.#links) link.close(why);
  }

  /** What teachers that cannot answer now say; empty where none does. */
  get #away(): string {
    return this.#links.flatMap(({ away }) => away || []).join("; ");
  }

  /** Who is expected to have answered first, of those that may be asked. */
  #soonest(examples: number, except?: TeacherLink): TeacherLink | null {
    const nowMs = performance.now();
    const able = this.#links.filter((link) => link !== except && link.breaker.allows(nowMs));
    const paces = this.#links.flatMap(({ pace }) => pace ?? []);
    const otherwise = paces.length > 0 ? Math.min(...paces) : unknownPace;
    let [best, least]: [TeacherLink | null, number] = [null, Number.POSITIVE_INFINITY];
    for (const link of able) {
      const seconds = link.expectedSeconds(examples, otherwise);
      if (seconds < least) [best, least] = [link, seconds];
    }
    return best;
  }

  /** Waits until a teacher may be tried again. */
  async #strand(signal: AbortSignal): Promise<TeacherLink> {
    const { onNoTeacher, term } = this.#settings;
    if (onNoTeacher === "fail") {
      const [code, why] = this.#away
        ? (["server_away", `no ${this.#whom} can answer now: ${this.#away}`] as const)
        : (["unavailable", `no ${this.#whom} is left in term ${term}`] as const);
      throw new LimbeckError(code, `${why}, and the job says softTargets.onNoTeacher: fail`);
    }
    this.#stranded += 1;
    try {
      for (;;) {
        const reopens = this.#links.map(({ breaker }) => breaker.openUntilMs - performance.now());
        await setTimeout(Math.min(Math.max(Math.min(...reopens), 1), longestNapMs), undefined, { signal }).catch(
          () => {},
        );
        signal.throwIfAborted();
        const back = this.#soonest(0);
        if (back) return back;
      }
    } finally {
      this.#stranded -= 1;
    }
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
        const other = this.#hedges.isLeft ? this.#soonest(examples, asked) : null;
        if (!other) return null;
        this.#hedges.spend();
        this.#count({ hedged: 1 });
        return other;
      },
      hedgeMs: Math.min(this.#hedgeMs(dueMs - startedMs), deadlineMs),
      deadlineMs,
      what: `${examples} soft targets`,
      signal,
    });
    const logits = this.#logits(from, { key, inputs }, reply);
    this.#latencies.add(performance.now() - startedMs);
    return logits;
  }

  /** Not before an answer is late, nor while the first has the time to give it before it is needed. */
  #hedgeMs(spareMs: number): number {
    if (this.#latencies.count < enough) return Math.max(unknownLatencyMs, spareMs);
    return Math.max(this.#latencies.quantile(late)!, spareMs - this.#latencies.quantile(0.5)!);
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
      this.#hedges.earn();
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
    const { softTargets, softTargetBytes, softTargetInputBytes, hedged, askedAgain, payloadError } = this.#counts;
    this.#counts = {
      softTargets: softTargets + (more.softTargets ?? 0),
      softTargetBytes: softTargetBytes + (more.softTargetBytes ?? 0),
      softTargetInputBytes: softTargetInputBytes + (more.softTargetInputBytes ?? 0),
      hedged: hedged + (more.hedged ?? 0),
      askedAgain: askedAgain + (more.askedAgain ?? 0),
      payloadError: addPayloadErrors(payloadError, more.payloadError ?? noPayloadError),
    };
  }
}

async function sentInputs(source: InputSource, { examples, view }: SoftTargetKey): Promise<SentInputs> {
  const bytes = bytesOf(await source.of(examples, view));
  return { bytes, checksum: checksum(bytes, 0) };
}
