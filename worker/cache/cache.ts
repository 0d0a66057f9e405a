/**
 * The cache of soft targets, for a student: what is on disk is read, what came from a teacher is kept. It never fails
 * whoever asks: what it cannot give is missing, and is asked of a teacher.
 */
import { Worker } from "node:worker_threads";
import type { CacheNews, CacheOrder, CacheSettings } from "./protocol.ts";
import type { Found } from "./store.ts";

/** L7. A disk that takes longer is no help: teachers are asked instead, and it is told. */
const readMs = 5_000;
const closeMs = 2_000;
/** Logits that wait to be written; more than these are not kept. */
const waitingBytes = 64 * 2 ** 20;

interface Lookup {
  readonly examples: Uint32Array;
  readonly late: NodeJS.Timeout;
  resolve(found: Found): void;
}

export class SoftTargetCache {
  readonly #thread: Worker;
  readonly #trouble: (why: string) => void;
  readonly #lookups = new Map<number, Lookup>();
  #next = 0;
  #waiting = 0;
  #isOpen = true;

  /** @param trouble told what it cannot do from now on, and why */
  constructor(settings: CacheSettings, trouble: (why: string) => void) {
    this.#trouble = trouble;
    this.#thread = new Worker(new URL("./thread.js", import.meta.url), { workerData: settings });
    this.#thread.on("message", (news: CacheNews) => this.#hear(news));
    this.#thread.on("error", ({ message }) => this.#giveUp(`the cache of soft targets failed: ${message}`));
    this.#thread.on("exit", () => this.#end());
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** What is there of the logits [examples, classes] of these examples under a view. */
  lookUp(examples: Uint32Array, view: number): Promise<Found> {
    return new Promise((resolve) => {
      if (!this.#isOpen) return resolve(nothing(examples));
      const id = this.#next++;
      const late = setTimeout(() => this.#giveUp(`the cache of soft targets did not answer in ${readMs} ms`), readMs);
      this.#lookups.set(id, { examples, late, resolve });
      this.#order({ kind: "read", id, examples: examples.slice(), view });
    });
  }

  /** Keeps the logits [examples, classes]; they are given away. Returns before they are on disk. */
  keep(examples: Uint32Array, view: number, logits: Float32Array<ArrayBuffer>): void {
    if (!this.#isOpen || this.#waiting + logits.byteLength > waitingBytes) return;
    this.#waiting += logits.byteLength;
    this.#order({ kind: "write", examples: examples.slice(), view, logits }, [logits.buffer]);
  }

  /** Waits until what was kept is written; not for longer than the disk deserves. */
  async close(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    const gone = new Promise<void>((resolve) => this.#thread.once("exit", () => resolve()));
    this.#order({ kind: "close" });
    let late: NodeJS.Timeout | undefined;
    const patience = new Promise<void>((resolve) => {
      late = setTimeout(resolve, closeMs);
    });
    await Promise.race([gone, patience]);
    clearTimeout(late);
    void this.#thread.terminate();
  }

  #order(order: CacheOrder, transfer: ArrayBuffer[] = []): void {
    this.#thread.postMessage(order, transfer);
  }

  #hear(news: CacheNews): void {
    switch (news.kind) {
      case "found": {
        const lookup = this.#lookups.get(news.id);
        this.#lookups.delete(news.id);
        clearTimeout(lookup?.late);
        lookup?.resolve(news);
        return;
      }
      case "written":
        this.#waiting -= news.logitBytes;
        return;
      case "trouble":
        this.#trouble(news.why);
        return;
    }
  }

  #giveUp(why: string): void {
    if (this.#isOpen) this.#trouble(why);
    this.#end();
    void this.#thread.terminate();
  }

  #end(): void {
    this.#isOpen = false;
    for (const { examples, late, resolve } of this.#lookups.values()) {
      clearTimeout(late);
      resolve(nothing(examples));
    }
    this.#lookups.clear();
  }
}

function nothing(examples: Uint32Array): Found {
  return { logits: new Float32Array(0), missing: Uint32Array.from(examples.keys()) };
}
