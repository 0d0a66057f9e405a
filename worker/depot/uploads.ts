/**
 * What is on its way into the depot, one after another, beside the training. A newer one supersedes one of its lane that
 * still waits. What fails is tried again, later and later, for as long as the worker lives: a depot that is away ends no job.
 */
import { setTimeout } from "node:timers/promises";
import { type BackoffPolicy, backoffMs } from "../../core/backoff.ts";
import { asLimbeckError } from "../../core/errors.ts";

export interface Upload {
  /** Of those that supersede each other. */
  readonly lane: string;
  /** In words, for the warning; unique while it is on its way. */
  readonly what: string;
  send(signal: AbortSignal): Promise<void>;
  /** It is there. */
  sent(): void;
}

export interface UploadsOptions {
  /** Told once when the depot is away, until it is back, and once of each that will never get there. */
  warn(why: string): void;
  readonly backoff?: BackoffPolicy;
}

const usualBackoff: BackoffPolicy = { firstMs: 500, longestMs: 30_000 };

interface UnderWay {
  readonly upload: Upload;
  ended: Promise<void>;
  readonly ending: AbortController;
  /** Wakes it where it waits to be tried again. */
  waking: AbortController;
}

export class Uploads {
  readonly #options: UploadsOptions;
  /** By lane, in the order in which they came. */
  readonly #waiting = new Map<string, Upload>();
  #underWay: UnderWay | null = null;
  #sending: Promise<void> = Promise.resolve();
  #isAway = false;

  constructor(options: UploadsOptions) {
    this.#options = options;
  }

  /** `what` of each that is under way or waits. */
  get pending(): ReadonlySet<string> {
    const under = this.#underWay ? [this.#underWay.upload] : [];
    return new Set([...under, ...this.#waiting.values()].map(({ what }) => what));
  }

  add(upload: Upload): void {
    this.#waiting.delete(upload.lane);
    this.#waiting.set(upload.lane, upload);
    if (this.#underWay?.upload.lane === upload.lane) this.#underWay.waking.abort();
    if (this.#underWay === null) this.#sending = this.#sendAll();
  }

  /** Forgets those, also one that is being sent. Resolves when nothing of them is written any more. */
  async drop(isDropped: (upload: Upload) => boolean): Promise<void> {
    for (const upload of [...this.#waiting.values()]) if (isDropped(upload)) this.#waiting.delete(upload.lane);
    const underWay = this.#underWay;
    if (!underWay || !isDropped(underWay.upload)) return;
    underWay.ending.abort();
    await underWay.ended;
  }

  /** All are there, or it is too late (L7). @returns whether they are */
  async settled(withinMs: number, signal?: AbortSignal): Promise<boolean> {
    const over = new AbortController();
    const ends = AbortSignal.any([over.signal, ...(signal ? [signal] : [])]);
    const tooLate = setTimeout(withinMs, undefined, { signal: ends }).catch(() => {});
    await Promise.race([this.#sending, tooLate]);
    over.abort();
    return this.#underWay === null;
  }

  async #sendAll(): Promise<void> {
    for (let next = this.#take(); next; next = this.#take()) {
      const ways = { ending: new AbortController(), waking: new AbortController(), ended: Promise.resolve() };
      this.#underWay = { upload: next, ...ways };
      this.#underWay.ended = this.#send(this.#underWay);
      await this.#underWay.ended;
      this.#underWay = null;
    }
  }

  #take(): Upload | null {
    const [next = null] = this.#waiting.values();
    if (next) this.#waiting.delete(next.lane);
    return next;
  }

  async #send(underWay: UnderWay): Promise<void> {
    const { upload, ending } = underWay;
    const { warn, backoff = usualBackoff } = this.#options;
    for (let attempt = 0; !ending.signal.aborted; attempt++) {
      try {
        await upload.send(ending.signal);
        this.#isAway = false;
        upload.sent();
        return;
      } catch (thrown) {
        if (ending.signal.aborted || this.#waiting.has(upload.lane)) return;
        const { code, message } = asLimbeckError(thrown);
        const mayMend = code === "unavailable";
        if (!mayMend) return warn(`${upload.what} does not get into the depot: ${message}`);
        if (!this.#isAway) warn(`${upload.what} is not in the depot yet, it is tried again: ${message}`);
        this.#isAway = true;
      }
      underWay.waking = new AbortController();
      const signal = AbortSignal.any([ending.signal, underWay.waking.signal]);
      await setTimeout(backoffMs(backoff, attempt, Math.random()), undefined, { signal }).catch(() => {});
      if (this.#waiting.has(upload.lane)) return;
    }
  }
}
