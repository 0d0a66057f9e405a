/**
 * Soft targets of the steps to come, asked for before they are needed: as many steps ahead as answers take at this pace, within a
 * bound of bytes. Answers come in any order, and are handed over in the ledger's.
 */

/** Of one step, by part: the examples of a lane, or of all lanes that are computed together. */
export interface StepExamples {
  readonly epoch: number;
  readonly parts: readonly Uint32Array[];
}

export interface FetchAheadSource {
  examplesOf(step: number): StepExamples;
  /** Logits [examples, classes]. */
  request(examples: Uint32Array, epoch: number, spareMs: number): Promise<Float32Array>;
  /** How long a late answer takes; null where nothing is known. */
  latencyMs(): number | null;
  /** Of its logits, and of its inputs where they are sent. */
  readonly bytesPerExample: number;
  /** Of all that is asked for or waits to be used. */
  readonly maxBytes: number;
}

/** Before anything is measured. */
const firstWindow = 3;
/** No job needs more: a window of so many steps holds several seconds of them. */
const longestWindow = 256;
/** Weight of the newest step. */
const newest = 0.2;

interface Fetching {
  readonly parts: readonly Promise<Float32Array>[];
  readonly bytes: number;
}

export class FetchAhead {
  readonly #source: FetchAheadSource;
  readonly #steps: number;
  readonly #fetching = new Map<number, Fetching>();
  #bytes = 0;
  #next: number;
  #taken: { atMs: number; step: number } | null = null;
  #stepMs: number | null = null;

  /** For steps `from` … `steps` - 1. */
  constructor(source: FetchAheadSource, range: { from: number; steps: number }) {
    this.#source = source;
    this.#steps = range.steps;
    this.#next = range.from;
    this.#fill(range.from);
  }

  /** Steps that are asked for ahead of the one that is taken, as far as the bound of bytes lets them. */
  get window(): number {
    const latencyMs = this.#source.latencyMs();
    if (latencyMs === null || this.#stepMs === null) return firstWindow;
    // Little's law: so many are under way at this pace. One more is in use, one covers what varies.
    return Math.min(longestWindow, Math.ceil(latencyMs / Math.max(this.#stepMs, 0.1)) + 2);
  }

  /** The logits of each part of the step; steps are taken in order, each once. */
  take(step: number): readonly Promise<Float32Array>[] {
    this.#measure(step);
    while (this.#next <= step) this.#ask(this.#next++, step); // Always, whatever its bytes.
    const { parts, bytes } = this.#fetching.get(step)!;
    this.#fetching.delete(step);
    this.#bytes -= bytes;
    this.#fill(step);
    return parts;
  }

  #measure(step: number): void {
    const atMs = performance.now();
    if (this.#taken && step > this.#taken.step) {
      const now = (atMs - this.#taken.atMs) / (step - this.#taken.step);
      this.#stepMs = this.#stepMs === null ? now : this.#stepMs + newest * (now - this.#stepMs);
    }
    this.#taken = { atMs, step };
  }

  #fill(step: number): void {
    const until = Math.min(this.#steps, step + this.window);
    while (this.#next < until && this.#bytes < this.#source.maxBytes) this.#ask(this.#next++, step);
  }

  #ask(step: number, current: number): void {
    const { examplesOf, request, bytesPerExample } = this.#source;
    const { epoch, parts } = examplesOf(step);
    const spareMs = (step - current) * (this.#stepMs ?? 0);
    const asked = parts.map((examples) =>
      examples.length === 0 ? Promise.resolve(new Float32Array(0)) : request(examples, epoch, spareMs),
    );
    // Reported by whoever takes it; what is never taken fails nobody.
    for (const each of asked) each.catch(() => {});
    const bytes = bytesPerExample * parts.reduce((sum, { length }) => sum + length, 0);
    this.#fetching.set(step, { parts: asked, bytes });
    this.#bytes += bytes;
  }
}
