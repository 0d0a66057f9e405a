/** Soft targets from the cache where they are there, else from a teacher, and then kept. With no teacher left the cache still answers. */
import { resolve } from "node:path";
import { cachePlan, isPlain } from "../../core/caching.ts";
import type { Beginning } from "../../core/participant.ts";
import type { SoftTargetCache } from "../cache/cache.ts";
import type { CacheSettings } from "../cache/protocol.ts";
import type { WorkerContext } from "../context.ts";
import { softTargetFolder } from "../engine/environment.ts";
import type { SoftTargetCounts } from "./counts.ts";
import { formatName, formatOf } from "./format.ts";
import type { PartTeacher } from "./link.ts";
import type { SoftTargetKey } from "./provenance.ts";
import type { SoftTargetSource, Standing } from "./source.ts";

/** In examples and bytes of logits. */
export interface CacheCounts {
  /** Soft targets needed. */
  readonly softTargets: number;
  /** Of them, those the cache had. */
  readonly softTargetsCached: number;
  /** Of them, those the cache was asked for and had not. */
  readonly cacheMisses: number;
  readonly cacheKeptBytes: number;
}

const noCounts: CacheCounts = { softTargets: 0, softTargetsCached: 0, cacheMisses: 0, cacheKeptBytes: 0 };

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
  #counts = noCounts;

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
    if (cache) this.#count({ cacheMisses: missing.length });
    if (missing.length === 0) {
      this.#count({ softTargets: examples.length, softTargetsCached: examples.length });
      return logits;
    }
    if (!cache || missing.length === examples.length) {
      const all = await this.#fresh(key, signal, spareMs);
      if (cache) this.#keep(cache, { examples, view }, all.slice());
      return all;
    }
    const wanted = Uint32Array.from(missing, (at) => examples[at]!);
    if (wholeLanes) {
      const all = await this.#fresh(key, signal, spareMs);
      this.#keep(cache, { examples: wanted, view }, rowsOf(all, missing, classes));
      return all;
    }
    const fresh = await this.#fresh({ ...key, examples: wanted }, signal, spareMs);
    missing.forEach((at, row) => void logits.set(fresh.subarray(row * classes, (row + 1) * classes), at * classes));
    this.#keep(cache, { examples: wanted, view }, fresh.slice());
    const cached = examples.length - missing.length;
    this.#count({ softTargets: cached, softTargetsCached: cached });
    return logits;
  }

  /** @param logits given away */
  #keep(
    cache: SoftTargetCache,
    { examples, view }: Pick<SoftTargetKey, "examples" | "view">,
    logits: Float32Array<ArrayBuffer>,
  ): void {
    this.#count({ cacheKeptBytes: logits.byteLength });
    cache.keep(examples, view, logits);
  }

  async #fresh(key: SoftTargetKey, signal: AbortSignal, spareMs: number): Promise<Float32Array> {
    const { teachers, heard } = this.#settings;
    const logits = await teachers.request(key, signal, spareMs);
    heard(key, logits);
    this.#count({ softTargets: key.examples.length });
    return logits;
  }

  /** Since the last call: soft targets needed, those of them that came from the cache, and what teachers were asked for. */
  takeCounts(): SoftTargetCounts & CacheCounts {
    const counts = { ...this.#settings.teachers.takeCounts(), ...this.#counts };
    this.#counts = noCounts;
    return counts;
  }

  get standing(): Standing {
    return this.#settings.teachers.standing;
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

  #count(more: Partial<CacheCounts>): void {
    const { softTargets, softTargetsCached, cacheMisses, cacheKeptBytes } = this.#counts;
    this.#counts = {
      softTargets: softTargets + (more.softTargets ?? 0),
      softTargetsCached: softTargetsCached + (more.softTargetsCached ?? 0),
      cacheMisses: cacheMisses + (more.cacheMisses ?? 0),
      cacheKeptBytes: cacheKeptBytes + (more.cacheKeptBytes ?? 0),
    };
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
