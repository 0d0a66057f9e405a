/**
 * Canaries: all through a run, at a low rate, a lane whose soft targets were given is asked for again, of another teacher
 * where there is one, in another order and company. Training does not wait for the answer; one that differs fails it.
 */
import {
  type Answer,
  type Difference,
  describeDifference,
  differenceOf,
  toleranceOf,
} from "../../core/doctor/agreement.ts";
import { differenceOfKept } from "../../core/doctor/kept.ts";
import { LimbeckError } from "../../core/errors.ts";
import type { CanaryResult } from "../../core/metrics/worker.ts";
import { hash32, purpose } from "../../core/random.ts";
import type { TeacherLine } from "./teacherlines.ts";

export interface CanarySettings {
  /** Of now. */
  teachers(): readonly TeacherLine[];
  /** Of this worker, in the requests that it makes. */
  readonly everyRequests: number;
  readonly classes: number;
  /** At which the logits that were not kept share their mass; null where all logits were given. */
  readonly keptAt: number | null;
  readonly seed: number;
  readonly signal: AbortSignal;
  /** @param drift how far the answer was from what was given, of what numerics allow; null where it cannot be said */
  told(result: CanaryResult, drift: number | null): void;
}

export class Canaries {
  readonly #settings: CanarySettings;
  #requests = 0;
  #asked = 0;
  #isOut = false;
  /** Ids of the lane before. */
  #company: Uint32Array = new Uint32Array();
  #failure: LimbeckError | null = null;

  constructor(settings: CanarySettings) {
    this.#settings = settings;
  }

  /**
   * Takes note of a lane that a teacher has answered.
   * @throws `wrong_key` where an earlier one was answered otherwise when it was asked for again
   */
  watch(examples: Uint32Array, epoch: number, logits: Float32Array): void {
    if (this.#failure) throw this.#failure;
    const { everyRequests, seed } = this.#settings;
    const company = this.#company;
    this.#company = examples.slice();
    this.#requests += 1;
    if (this.#isOut || this.#requests % everyRequests !== 0) return;
    this.#isOut = true;
    const given = { from: "a teacher", examples, logits: logits.slice() };
    void this.#askAgain(given, { epoch, examples: remixed(examples, company, hash32(seed, this.#requests)) });
  }

  async #askAgain(given: Answer, { epoch, examples }: { epoch: number; examples: Uint32Array }): Promise<void> {
    const { signal, told } = this.#settings;
    const teachers = this.#settings.teachers();
    const teacher = teachers[this.#asked++ % teachers.length];
    try {
      if (!teacher) return;
      const logits = await teacher.ask(examples, epoch, signal);
      const again = { from: `${teacher.worker}, asked again,`, examples, logits };
      const difference = this.#difference(given, again);
      told(difference ? "different" : "same", this.#drift(given, again));
      if (!difference) return;
      const how = describeDifference(difference, ["at first a teacher", again.from]);
      const message = `soft targets are not what they were: for example ${difference.example} in epoch ${epoch} ${how}`;
      this.#failure = new LimbeckError("wrong_key", message);
    } catch (thrown) {
      // A teacher that cannot be asked is no wrong one; whoever needs it says so. One that serves another key is.
      const isWrong = thrown instanceof LimbeckError && thrown.code === "wrong_key";
      if (isWrong) this.#failure = thrown;
      told(isWrong ? "different" : "unanswered", null);
    } finally {
      this.#isOut = false;
    }
  }

  /** @param beyond by default what numerics allow */
  #difference(given: Answer, again: Answer, beyond?: number): Difference | null {
    const { classes, keptAt: temperature } = this.#settings;
    if (temperature === null) return differenceOf(given, again, classes, beyond);
    return differenceOfKept(given, again, { classes, temperature, beyond });
  }

  /** The largest distance of two logits over what numerics allow. */
  #drift(given: Answer, again: Answer): number {
    const largest = this.#difference(given, again, 0);
    const all = this.#settings.keptAt === null ? given : again;
    return largest ? Math.abs(largest.one - largest.other) / toleranceOf(all.logits) : 0;
  }
}

/** As many examples as the lane has, in another order, some of them strangers: no answer by place can be right twice. */
export function remixed(lane: Uint32Array, company: Uint32Array, seed: number): Uint32Array {
  const isOwn = new Set(lane);
  const strangers = company.filter((example) => !isOwn.has(example)).subarray(0, Math.floor(lane.length / 2));
  const mixed = Uint32Array.from([...lane.slice(strangers.length), ...strangers]);
  for (let at = mixed.length - 1; at > 0; at--) {
    const other = hash32(purpose.canary, seed, at) % (at + 1);
    [mixed[at], mixed[other]] = [mixed[other]!, mixed[at]!];
  }
  return mixed;
}
