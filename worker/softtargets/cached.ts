/** Soft targets from the cache where they are there, else from a teacher, and then kept. With no teacher left the cache still answers. */
import { resolve } from "node:path";
import { cachePlan, isPlain } from "../../core/caching.ts";
import type { Beginning } from "../../core/participant.ts";
import type { SoftTargetCache } from "../cache/cache.ts";
import type { CacheSettings } from "../cache/protocol.ts";
import type { WorkerContext } from "../context.ts";
import { softTargetFolder } from "../engine/environment.ts";
import type { SoftTargetCounts, SoftTargetSource } from "./client.ts";
import { formatName, formatOf } from "./format.ts";
import type { PartTeacher } from "./link.ts";
import type { SoftTargetKey } from "./provenance.ts";

export interface CachedSoftTargetsSettings {
  readonly teachers: SoftTargetSource;
  /** null where nothing is cached. */
  readonly cache: SoftTargetCache | null;
  /** Exact numerics: a lane is asked for whole, for bits may depend on a batch's shape (L1). */
  readonly wholeLanes: boolean;
  readonly classes: number;
  /** Told of what a teacher has answered; what it throws, the request throws. */
  heard(key: SoftTargetKey, logits: Float32Array): void;
}

export class CachedSoftTargets {
  readonly #settings: CachedSoftTargetsSettings;
  #needed = 0;
  #cached = 0;

  constructor(settings: CachedSoftTargetsSettings) {
    this.#settings = settings;
  }

  /**
   * Logits [examples, classes]. A cached one has the bits that a teacher would give: they do not depend on what it is
   * batched with, or nothing is cached (worker/softtargets/rows.ts).
   * @throws as SoftTargetSource.request
   */
  async request(key: SoftTargetKey, signal: AbortSignal, spareMs = 0): Promise<Float32Array> {
    const { cache, wholeLanes, classes } = this.#settings;
    const { examples, view } = key;
    const { logits, missing } = cache
      ? await cache.lookUp(examples, view)
      : { logits: new Float32Array(0), missing: examples };
    signal.throwIfAborted();
    if (missing.length === 0) return this.#count(logits, examples.length, examples.length);
    if (!cache || missing.length === examples.length) {
      const all = await this.#fresh(key, signal, spareMs);
      cache?.keep(examples, view, all.slice());
      return this.#count(all, examples.length, 0);
    }
    const wanted = Uint32Array.from(missing, (at) => examples[at]!);
    if (wholeLanes) {
      const all = await this.#fresh(key, signal, spareMs);
      cache.keep(wanted, view, rowsOf(all, missing, classes));
      return this.#count(all, examples.length, 0);
    }
    const fresh = await this.#fresh({ ...key, examples: wanted }, signal, spareMs);
    missing.forEach((at, row) => void logits.set(fresh.subarray(row * classes, (row + 1) * classes), at * classes));
    cache.keep(wanted, view, fresh.slice());
    return this.#count(logits, examples.length, examples.length - missing.length);
  }

  async #fresh(key: SoftTargetKey, signal: AbortSignal, spareMs: number): Promise<Float32Array> {
    const { teachers, heard } = this.#settings;
    const logits = await teachers.request(key, signal, spareMs);
    heard(key, logits);
    return logits;
  }

  /** Since the last call: soft targets needed, those of them that came from the cache, and what teachers were asked for. */
  takeCounts(): SoftTargetCounts & { readonly softTargetsCached: number } {
    const asked = this.#settings.teachers.takeCounts();
    const counts = { ...asked, softTargets: this.#needed, softTargetsCached: this.#cached };
    this.#needed = 0;
    this.#cached = 0;
    return counts;
  }

  get latencyMs(): number | null {
    return this.#settings.teachers.latencyMs;
  }

  get waitingFor(): string {
    return this.#settings.teachers.waitingFor;
  }

  get isStranded(): boolean {
    return this.#settings.teachers.isStranded;
  }

  get isServerAway(): boolean {
    return this.#settings.teachers.isServerAway;
  }

  teachersAre(teachers: readonly PartTeacher[]): void {
    this.#settings.teachers.teachersAre(teachers);
  }

  /** Ends the streams; the cache stays open. */
  close(): void {
    this.#settings.teachers.close();
  }

  #count(logits: Float32Array, needed: number, cached: number): Float32Array {
    this.#needed += needed;
    this.#cached += cached;
    return logits;
  }
}

function rowsOf(logits: Float32Array, rows: Uint32Array, classes: number): Float32Array<ArrayBuffer> {
  const some = new Float32Array(rows.length * classes);
  rows.forEach((row, at) => void some.set(logits.subarray(row * classes, (row + 1) * classes), at * classes));
  return some;
}

/** What the cache of a term is opened with; null where nothing is cached. @param teacher sha256 of its weights */
export function cacheSettings(context: WorkerContext, teacher: string, beginning: Beginning): CacheSettings | null {
  const { job, jobFolder, dataset } = context;
  const { softTargets, distil, numerics, lanes, seed } = job;
  const plan = cachePlan(job, beginning.uncacheable);
  if (plan.kind === "uncached" || softTargets.cache === false) return null;
  const { dir, maxBytes } = softTargets.cache;
  const { repeat: _, ...spec } = distil.views;
  const key = {
    teacher,
    dataset: dataset.digest,
    examples: dataset.count("train"),
    classes: dataset.classes,
    format: formatName(formatOf(softTargets, distil.temperature)),
    views: isPlain(spec) ? null : { spec, seed },
    period: plan.views,
    bits: numerics === "exact" ? { laneBatch: lanes.batch, engine: beginning.teacherEngine } : null,
  };
  return { dir: dir === undefined ? softTargetFolder() : resolve(jobFolder, dir), maxBytes, key };
}
