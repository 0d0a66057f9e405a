/** Where a student's soft targets come from in one term: the cache, else teachers, asked ahead of the steps that take them. */
import type { Job } from "../core/job.ts";
import { serverSeconds } from "../core/jobteacher.ts";
import type { Beginning } from "../core/participant.ts";
import type { Stage } from "../core/stages.ts";
import { teacherParts } from "../core/teacherparts.ts";
import { type BatchSource, stepExamples } from "./batches.ts";
import type { SoftTargetCache } from "./cache/cache.ts";
import type { KeptCache } from "./cache/kept.ts";
import { viewOfEpoch, type WorkerContext } from "./context.ts";
import { Canaries } from "./doctor/canaries.ts";
import { TeacherLines } from "./doctor/teacherlines.ts";
import type { Membership } from "./membership.ts";
import type { Reports } from "./reports.ts";
import { CachedSoftTargets, cacheSettings } from "./softtargets/cached.ts";
import { FetchAhead } from "./softtargets/fetchahead.ts";
import { formatOf } from "./softtargets/format.ts";
import { floatsSent, inputSource } from "./softtargets/inputs.ts";
import type { PartTeacher } from "./softtargets/link.ts";
import { openSoftTargets, type SourceSettings } from "./softtargets/open.ts";
import type { SoftTargetKey } from "./softtargets/provenance.ts";

export interface SupplyParts {
  readonly context: WorkerContext;
  readonly membership: Membership;
  readonly reports: Reports;
  readonly cache: KeptCache;
  readonly beginning: Beginning;
  readonly lanes: Pick<BatchSource, "ledger" | "parts">;
  /** Ends what is waited for. */
  readonly signal: AbortSignal;
}

/** Of one request: a teacher that is alive answers in milliseconds, one that is busy in seconds, one that asks a server when that does. */
export function answerMs({ teacher }: Job): number {
  return 60_000 + 1_000 * serverSeconds(teacher);
}

export class SoftTargetSupply {
  /** The doctor's, to each teacher; null where the job has no doctor. */
  readonly lines: TeacherLines | null;
  readonly #parts: SupplyParts;
  readonly #keyOf: ReturnType<typeof keysOf>;
  readonly #softTargets: CachedSoftTargets;
  readonly #cache: SoftTargetCache | null;

  constructor(parts: SupplyParts) {
    this.#parts = parts;
    const { context, membership, reports, cache, beginning } = parts;
    const { job, dataset } = context;
    this.#keyOf = keysOf(context, membership.plan.stage, membership.teacherSha256);
    this.lines = job.doctor ? new TeacherLines(this.#settings(), this.#keyOf) : null;
    const canaries = this.#canaries(this.lines);
    const settings = cacheSettings(context, membership.teacherSha256, beginning);
    this.#cache = settings && cache.of(settings, (why) => reports.tell({ warned: { why } }));
    this.#softTargets = new CachedSoftTargets({
      teachers: openSoftTargets(this.#settings()),
      cache: this.#cache,
      wholeLanes: job.numerics === "exact",
      classes: dataset.classes,
      heard: ({ examples, view }, logits) => canaries?.watch(examples, view, logits),
    });
  }

  /** From this step on. */
  ahead(range: { from: number; steps: number }): FetchAhead {
    const { context, lanes, signal } = this.#parts;
    const { classes, shape } = context.dataset;
    const softTargets = this.#softTargets;
    const source = {
      examplesOf: (step: number) => stepExamples(lanes, step),
      request: (examples: Uint32Array, epoch: number, spareMs: number) =>
        softTargets.request(this.#keyOf(examples, epoch), signal, spareMs),
      latencyMs: () => softTargets.latencyMs,
      bytesPerExample: 4 * (classes + floatsSent(context.job, shape)),
      // Each is asked for as often as the teacher has parts.
      maxBytes: context.job.softTargets.aheadBytes / teacherParts(context.job.teacher).length,
    };
    return new FetchAhead(source, range);
  }

  /** Logits [examples, classes] where the cache has all of them, and as teachers give them: not what `topk` keeps; else null. */
  async cached(examples: Uint32Array, epoch: number): Promise<Float32Array | null> {
    if (!this.#cache || this.#parts.context.job.softTargets.format === "topk") return null;
    const { logits, missing } = await this.#cache.lookUp(examples, this.#keyOf(examples, epoch).view);
    return missing.length === 0 ? logits : null;
  }

  /** Teachers came or went. */
  teachersAre(teachers: readonly PartTeacher[]): void {
    this.lines?.teachersAre(teachers);
    this.#softTargets.teachersAre(teachers);
  }

  get waitingFor(): string {
    return this.#softTargets.waitingFor;
  }

  /** Something is asked for that no teacher is left to answer. */
  get isStranded(): boolean {
    return this.#softTargets.isStranded;
  }

  /** Something is asked for whose teachers wait for a server of their own. */
  get isServerAway(): boolean {
    return this.#softTargets.isServerAway;
  }

  /** Since the last call. */
  takeCounts(): ReturnType<CachedSoftTargets["takeCounts"]> {
    return this.#softTargets.takeCounts();
  }

  get standing(): ReturnType<WorkerContext["metrics"]["standing"]> {
    return this.#softTargets.standing;
  }

  /** Ends the streams to teachers. */
  close(): void {
    this.lines?.close();
    this.#softTargets.close();
  }

  #canaries(lines: TeacherLines | null): Canaries | null {
    const { job, dataset, metrics } = this.#parts.context;
    const { lanes, signal } = this.#parts;
    if (!lines || !job.doctor || job.doctor.canaryEverySteps === 0) return null;
    return new Canaries({
      teachers: () => lines.all,
      everyRequests: job.doctor.canaryEverySteps * lanes.parts.length,
      ...{ classes: dataset.classes, seed: job.seed, signal, told: metrics.canary },
      keptAt: job.softTargets.format === "topk" ? job.distil.temperature : null,
    });
  }

  #settings(): SourceSettings {
    const { context, membership, reports } = this.#parts;
    const { term, teachers, plan } = membership;
    const { job } = context;
    const { softTargets } = job;
    const format = formatOf(softTargets, plan.soft!.temperature);
    const { onNoTeacher } = softTargets;
    const inputs = inputSource(context, plan.stage);
    const deadlineMs = answerMs(job);
    return {
      ...{ job, term, teachers, format, classes: context.dataset.classes, inputs, deadlineMs, onNoTeacher },
      random: Math.random,
      calling: context.services.calling,
      onAnswer: context.metrics.answered,
      onLost: (worker, why) => reports.tell({ suspect: { worker, why } }),
      onCorrupted: (from, why) => reports.tell({ corrupted: { from, kind: "soft-targets", why } }),
    };
  }
}

/** What soft targets of a stage are asked for with (L6). @param teacher sha256 of its weights */
export function keysOf({ job, dataset }: WorkerContext, stage: Stage, teacher: string) {
  return (examples: Uint32Array, epoch: number): SoftTargetKey => {
    const view = viewOfEpoch(job, stage, epoch)?.epoch ?? 0;
    return { teacher, dataset: dataset.digest, examples, view };
  };
}
