/**
 * The student's side of an ensemble whose members have workers of their own: one worker of each is asked, and the answers
 * are mixed here. Members' logits travel as float32 and the mixture is rounded to the job's format, as a worker that asks
 * all members rounds it before it sends it: so the bits are the same, and a cached mixture serves both (L1).
 */
import { LimbeckError } from "../../core/errors.ts";
import { type Mixture, mixedLogits, mixtureIdentity } from "../../core/mixture.ts";
import { sha256Hex } from "../artifacts/digest.ts";
import type { BreakerState } from "./breaker.ts";
import { SoftTargetClient, type SoftTargetSettings } from "./client.ts";
import { addCounts, noCounts, type SoftTargetCounts } from "./counts.ts";
import { decodeLogits, encodeLogits } from "./format.ts";
import type { PartTeacher } from "./link.ts";
import { addPayloadErrors, noPayloadError, type PayloadError, PayloadSampling } from "./payloaderror.ts";
import type { SoftTargetKey } from "./provenance.ts";
import type { SoftTargetSource, Standing } from "./source.ts";

export interface MixedSettings extends Omit<SoftTargetSettings, "teachers" | "field"> {
  readonly mixture: Mixture;
  /** In the order of the mixture. */
  readonly members: readonly Pick<SoftTargetSettings, "teachers" | "field">[];
}

export class MixedSoftTargets implements SoftTargetSource {
  readonly #settings: MixedSettings;
  readonly #members: readonly SoftTargetClient[];
  readonly #sampling = new PayloadSampling();
  #softTargets = 0;
  #payloadError: PayloadError = noPayloadError;

  constructor(settings: MixedSettings) {
    this.#settings = settings;
    const { mixture: _, members, ...rest } = settings;
    this.#members = members.map((member) => new SoftTargetClient({ ...rest, ...member, format: { kind: "float32" } }));
  }

  /** Where one member fails, what the others were asked for is cancelled. */
  async request(key: SoftTargetKey, signal: AbortSignal, spareMs = 0): Promise<Float32Array> {
    const failed = new AbortController();
    const either = AbortSignal.any([signal, failed.signal]);
    // Nobody knows the digest of a member but who has loaded it: what they make together is checked.
    const asked = this.#members.map((member) => member.request({ ...key, teacher: "" }, either, spareMs));
    const given = await Promise.all(asked).catch(async (thrown) => {
      failed.abort(thrown);
      await Promise.allSettled(asked);
      throw thrown;
    });
    this.#checkKey(key);
    this.#softTargets += key.examples.length;
    return this.#rounded(mixedLogits(given, this.#settings.mixture, this.#settings.classes), key.examples.length);
  }

  takeCounts(): SoftTargetCounts {
    const counts = this.#members.map((member) => member.takeCounts());
    const [softTargets, payloadError] = [this.#softTargets, this.#payloadError];
    this.#softTargets = 0;
    this.#payloadError = noPayloadError;
    return { ...counts.reduce(addCounts, noCounts), softTargets, payloadError };
  }

  /** Of the slowest member. */
  get latencyMs(): number | null {
    const known = this.#members.flatMap(({ latencyMs }) => latencyMs ?? []);
    return known.length > 0 ? Math.max(...known) : null;
  }

  get waitingFor(): string {
    return this.#members.flatMap(({ waitingFor }) => waitingFor || []).join(", ");
  }

  get isStranded(): boolean {
    return this.#members.some(({ isStranded }) => isStranded);
  }

  get standing(): Standing {
    const all = this.#members.map(({ standing }) => standing);
    const sum = (of: (each: Standing) => number) => all.reduce((total, each) => total + of(each), 0);
    const count = (state: BreakerState) => sum(({ breakers }) => breakers[state]);
    return {
      awaited: sum(({ awaited }) => awaited),
      stranded: sum(({ stranded }) => stranded),
      breakers: { closed: count("closed"), half_open: count("half_open"), open: count("open") },
    };
  }

  get isServerAway(): boolean {
    return this.#members.some(({ isServerAway }) => isServerAway);
  }

  teachersAre(teachers: readonly PartTeacher[]): void {
    this.#members.forEach((member, at) => void member.teachersAre(teachers.filter(({ part }) => part === at)));
  }

  close(): void {
    for (const member of this.#members) member.close();
  }

  /** L6. What the members serve must make the very ensemble that was asked for. */
  #checkKey({ teacher }: SoftTargetKey): void {
    const digests = this.#members.map(({ servedSha256 }) => servedSha256!);
    const served = sha256Hex(mixtureIdentity(this.#settings.mixture, digests));
    if (teacher === "" || teacher === served) return;
    const message = `the members ${digests.join(", ")} answered, which make the ensemble ${served}, asked for was ${teacher}`;
    throw new LimbeckError("wrong_key", message);
  }

  #rounded(logits: Float32Array, examples: number): Float32Array {
    const { classes, mixture } = this.#settings;
    const { format, bytes } = encodeLogits(logits, classes, this.#settings.format);
    const decoded = decodeLogits(bytes, format, { examples, classes });
    const { temperature } = mixture;
    const error = this.#sampling.measure(logits, format, { decoded: () => decoded, classes, temperature });
    if (error) this.#payloadError = addPayloadErrors(this.#payloadError, error);
    return decoded;
  }
}
