/** Where a student's soft targets come from in one term: the cache, else teachers, asked ahead of the steps that take them. */
import type { Beginning } from "../core/participant.ts";
import type { Stage } from "../core/stages.ts";
import { type BatchSource, stepExamples } from "./batches.ts";
import type { KeptCache } from "./cache/kept.ts";
import { viewOfEpoch, type WorkerContext } from "./context.ts";
import { Canaries } from "./doctor/canaries.ts";
import { TeacherLines } from "./doctor/teacherlines.ts";
import type { Membership } from "./membership.ts";
import type { Reports } from "./reports.ts";
import { CachedSoftTargets, cacheSettings } from "./softtargets/cached.ts";
import { SoftTargetClient, type SoftTargetSettings } from "./softtargets/client.ts";
import { FetchAhead } from "./softtargets/fetchahead.ts";
import { formatOf } from "./softtargets/format.ts";
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

/** Of one request: a teacher that is alive answers in milliseconds, one that is busy in seconds. */
const softTargetsMs = 60_000;

export class SoftTargetSupply {
  /** The doctor's, to each teacher; null where the job has no doctor. */
  readonly lines: TeacherLines | null;
  readonly #parts: SupplyParts;
  readonly #keyOf: ReturnType<typeof keysOf>;
  readonly #softTargets: CachedSoftTargets;

  constructor(parts: SupplyParts) {
    this.#parts = parts;
    const { context, membership, reports, cache, beginning } = parts;
    const { job, dataset } = context;
    this.#keyOf = keysOf(context, membership.plan.stage, membership.teacherSha256);
    this.lines = job.doctor ? new TeacherLines(this.#settings(), this.#keyOf) : null;
    const canaries = this.#canaries(this.lines);
    const settings = cacheSettings(context, membership.teacherSha256, beginning);
    this.#softTargets = new CachedSoftTargets({
      teachers: new SoftTargetClient(this.#settings()),
      cache: settings && cache.of(settings, (why) => reports.tell({ warned: { why } })),
      wholeLanes: job.numerics === "exact",
      classes: dataset.classes,
      heard: ({ examples, view }, logits) => canaries?.watch(examples, view, logits),
    });
  }

  /** From this step on. */
  ahead(range: { from: number; steps: number }): FetchAhead {
    const { context, lanes, signal } = this.#parts;
    const softTargets = this.#softTargets;
    const source = {
      examplesOf: (step: number) => stepExamples(lanes, step),
      request: (examples: Uint32Array, epoch: number, spareMs: number) =>
        softTargets.request(this.#keyOf(examples, epoch), signal, spareMs),
      latencyMs: () => softTargets.latencyMs,
      classes: context.dataset.classes,
      maxBytes: context.job.softTargets.aheadBytes,
    };
    return new FetchAhead(source, range);
  }

  get waitingFor(): string {
    return this.#softTargets.waitingFor;
  }

  /** Something is asked for that no teacher is left to answer. */
  get isStranded(): boolean {
    return this.#softTargets.isStranded;
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
    const { job, dataset } = this.#parts.context;
    const { lanes, signal } = this.#parts;
    // What top-k keeps of a row may turn on the last bit of a logit, and that on the row's place.
    if (!lines || !job.doctor || job.doctor.canaryEverySteps === 0 || job.softTargets.format === "topk") return null;
    return new Canaries({
      teachers: lines.all,
      everyRequests: job.doctor.canaryEverySteps * lanes.parts.length,
      ...{ classes: dataset.classes, seed: job.seed, signal },
    });
  }

  #settings(): SoftTargetSettings {
    const { context, membership, reports } = this.#parts;
    const { term, teachers, plan } = membership;
    const { softTargets } = context.job;
    const format = formatOf(softTargets, plan.soft!.temperature);
    const { onNoTeacher } = softTargets;
    return {
      ...{ term, teachers, format, classes: context.dataset.classes, deadlineMs: softTargetsMs, onNoTeacher },
      random: Math.random,
      interceptors: context.metrics.interceptors,
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
