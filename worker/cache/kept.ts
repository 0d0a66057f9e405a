/**
 * A worker's cache, kept open from term to term: its thread takes ten times longer to start than a term to change, and
 * whoever redoes a step would wait for it.
 */
import { SoftTargetCache } from "./cache.ts";
import type { CacheSettings } from "./protocol.ts";

export class KeptCache {
  #cache: SoftTargetCache | null = null;
  #settings = "";
  #trouble: (why: string) => void = () => {};

  /**
   * The cache of these settings: what is open, or another one in its place; one that has given up is opened anew.
   * @param trouble told, from now on, what it cannot do and why
   */
  of(settings: CacheSettings, trouble: (why: string) => void): SoftTargetCache {
    this.#trouble = trouble;
    const wanted = JSON.stringify(settings);
    if (this.#cache?.isOpen && this.#settings === wanted) return this.#cache;
    void this.close();
    this.#settings = wanted;
    this.#cache = new SoftTargetCache(settings, (why) => this.#trouble(why));
    return this.#cache;
  }

  /** Waits until what was kept is written. */
  async close(): Promise<void> {
    const cache = this.#cache;
    this.#cache = null;
    await cache?.close();
  }
}
