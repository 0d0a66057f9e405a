/** A student in one term: trains its lanes, evaluates its share, saves and compares what is due. */

import { LimbeckError } from "../core/errors.ts";
import type { Beginning } from "../core/participant.ts";
import type { Checkpointed } from "../proto/gen/limbeck/v1/Checkpointed.ts";
import { Batches, type BatchSource } from "./batches.ts";
import type { KeptCache } from "./cache/kept.ts";
import { offerReplica } from "./catchup.ts";
import { no, nothing, viewOfEpoch, type WorkerContext } from "./context.ts";
import { consult } from "./doctor/consultation.ts";
import type { Ending } from "./ending.ts";
import { chunkCount, type EvaluationPlan, evaluateChunks } from "./evaluate.ts";
import { Exchange } from "./exchange/exchange.ts";
import { Feed } from "./feed.ts";
import { loadKernels } from "./kernels/kernels.ts";
import { type Membership, partsOf, reductionOf } from "./membership.ts";
import { noneAsked } from "./metrics.ts";
import { patiently } from "./patience.ts";
import { inspected } from "./quarantine.ts";
import type { Reports } from "./reports.ts";
import { SoftTargetSupply } from "./softtargetsupply.ts";
import { type PhaseSeconds, StepReport, type StepSums } from "./stepreport.ts";
import type { Student } from "./student.ts";
import { type Training, train } from "./train.ts";

/** Shorter waits are the normal course of a step and not worth a word. */
const noticedMs = 250;

export interface StudentTermParts {
  readonly context: WorkerContext;
  readonly membership: Membership;
  readonly student: Student;
  readonly reports: Reports;
  readonly cache: KeptCache;
  /** False while there is no session: progress is summed up until there is. */
  isHeard(): boolean;
  /** Told of a checkpoint that is on disk, perhaps when the term is over. */
  saved(checkpoint: Checkpointed): void;
}

export class StudentTerm {
  readonly #parts: StudentTermParts;
  readonly #rank: number;
  /** The coordinator has asked for a checkpoint at the next boundary. */
  isCheckpointWanted = false;
  /** While it trains from soft targets. */
  #softTargets: SoftTargetSupply | null = null;
  #teachers: Membership["teachers"];

  constructor(parts: StudentTermParts) {
    this.#parts = parts;
    this.#rank = parts.membership.rank!;
    this.#teachers = parts.membership.teachers;
  }

  /** Teachers came or went, and the term goes on. */
  teachersAre(teachers: Membership["teachers"]): void {
    this.#teachers = teachers;
    this.#softTargets?.teachersAre(teachers);
  }

  /** Trains to the end of the stage, evaluates, and reports that the stage is done. Throws the ending's reason where it is told to end. */
  async run(beginning: Beginning, ending: Ending): Promise<void> {
    const { context, membership, student, reports, cache } = this.#parts;
    const { status, trained } = context;
    const { plan } = membership;
    const { replica } = student;
    const isSource = beginning.sources.includes(context.name);
    const takeBack = isSource ? await offerReplica(context, replica, beginning, await student.digest()) : () => {};
    if (beginning.evaluate && replica.step < plan.steps) await this.#evaluate({ last: false }, ending);
    if (replica.step < plan.steps) await this.#train(beginning, takeBack, ending);
    ending.soon.throwIfAborted();
    await cache.close();
    // The one that was to save it may have died.
    if (this.#rank === 0 && plan.steps > 0 && !student.isSaved) await this.#checkpoint();
    await student.saved();
    status.doing = `evaluating the ${plan.model}`;
    await this.#evaluate({ last: true }, ending);
    const model = await student.trainedModel();
    trained.set(plan.stage, model);
    const consumed = replica.consumption.totalsAfter(replica.step, replica.ledger);
    reports.tell({ stageDone: { stage: plan.stage, step: replica.step, weightsSha256: model.sha256, consumed } });
    status.doing = `done with ${plan.stage}`;
  }

  async #train(beginning: Beginning, takeBack: () => void, ending: Ending): Promise<void> {
    const { context, membership, student } = this.#parts;
    const { job, device, status, services } = context;
    const { plan, students, term } = membership;
    const { replica } = student;
    const deal = student.deal!;
    const reduction = reductionOf(membership, job);
    const lanes = { ledger: replica.ledger, parts: partsOf(students[this.#rank]!, job) };
    const supplied = { ...membership, teachers: this.#teachers };
    const softTargets =
      plan.soft &&
      new SoftTargetSupply({ ...this.#parts, membership: supplied, beginning, lanes, signal: ending.soon });
    this.#softTargets = softTargets;
    if (this.#rank === 0 && replica.step === 0 && job.doctor) await this.#consultDoctor(softTargets, ending);
    const report = this.#stepReport(softTargets);
    const exchange = new Exchange({
      ...services.peers,
      term,
      members: students,
      rank: this.#rank,
      ...reduction,
      partials: deal.partials,
      sum: replica.sum,
      scratch: deal.exchangeScratch,
      kernels: loadKernels(student.memory),
      onOverwrite: () => {
        takeBack();
        replica.sumStep = null;
      },
    });
    const feed = new Feed(services.peers.server, term, replica);
    const awaited = () => exchange.waitingFor || (softTargets?.waitingFor ?? "");
    status.waitingFor = () => (report.phaseMs < noticedMs ? "" : awaited());
    status.needsTeacher = () => softTargets?.isStranded ?? false;
    status.isServerAway = () => softTargets?.isServerAway ?? false;
    if (softTargets) context.metrics.standing = () => softTargets.standing;
    status.doing = `training the ${plan.stage === "teach" ? "teacher" : plan.stage === "distil" ? "student" : "baseline"}`;
    const request = {
      objective: plan.soft,
      seed: job.seed,
      merged: job.numerics === "fast",
      nodes: reduction.held[this.#rank]!,
      leaves: reduction.leaves,
    };
    const batches = this.#batches(lanes, softTargets);
    const training: Training = {
      ...{ replica, device, batches, exchange, request, report },
      skipped: (batch) => this.#skipped(batch, request),
      afterStep: () => report.outside(() => this.#afterStep(feed, ending)),
    };
    try {
      await feed.atBoundary();
      await train(training, ending);
    } finally {
      report.flush();
      status.waitingFor = nothing;
      status.needsTeacher = no;
      status.isServerAway = no;
      context.metrics.standing = noneAsked;
      exchange.closeTerm(`${context.name} has left off at step ${replica.step}`);
      this.#softTargets = null;
      softTargets?.close();
    }
  }

  async #consultDoctor(softTargets: SoftTargetSupply | null, ending: Ending): Promise<void> {
    const { context, membership, student, reports } = this.#parts;
    const { plan } = membership;
    const { ledger } = student.replica;
    const lines = softTargets?.lines ?? null;
    context.status.waitingFor = () => lines?.waitingFor ?? "";
    context.status.isServerAway = () => lines?.isServerAway ?? false;
    try {
      const asked = softTargets &&
        lines && { lines, cached: (ids: Uint32Array, epoch: number) => softTargets.cached(ids, epoch) };
      await consult({ context, plan, ledger, softTargets: asked, tell: (report) => reports.tell(report) }, ending.soon);
    } catch (thrown) {
      softTargets?.close();
      throw thrown;
    }
  }

  #stepReport(softTargets: SoftTargetSupply | null): StepReport {
    const { context, membership, student, reports, isHeard } = this.#parts;
    const { metrics, dataset } = context;
    const { replica } = student;
    const { stage, steps } = membership.plan;
    const exchanged = { students: membership.students.length, gradientBytes: replica.sum.byteLength };
    const send = (sums: StepSums) => {
      metrics.reported(sums, exchanged);
      const supplied = softTargets?.takeCounts();
      if (supplied) metrics.supplied(supplied, dataset.classes);
      const { cacheMisses: _, cacheKeptBytes: __, ...counts } = supplied ?? {};
      reports.tell({ progress: { stage, ...sums, ...counts, consumed: replica.consumption.totals } });
    };
    const stepped = (step: number, phases: PhaseSeconds) => {
      context.status.step = step;
      metrics.stepped(phases);
    };
    return new StepReport({ stage, steps }, { send, isHeard, stepped });
  }

  #batches(lanes: Pick<BatchSource, "ledger" | "parts">, softTargets: SoftTargetSupply | null): Batches {
    const { context, membership, student } = this.#parts;
    const { job, dataset } = context;
    const { stage, steps } = membership.plan;
    const range = { from: student.replica.step, steps };
    const source = {
      ...lanes,
      dataset,
      view: (epoch: number) => viewOfEpoch(job, stage, epoch),
      softTargets: softTargets?.ahead(range) ?? null,
      slots: student.deal!.slots,
    };
    return new Batches(source, range);
  }

  /** What is not finite in the own lanes goes into quarantine; too many such steps in a row are no chance. */
  async #skipped(batch: Parameters<Training["skipped"]>[0], request: Training["request"]): Promise<void> {
    const { context, student, reports } = this.#parts;
    const { plan, skips } = student.replica;
    const { inARow } = context.job.nonFinite;
    const lanes = await inspected(context.device, batch, request);
    for (const lane of lanes) reports.skipped({ stage: plan.stage, step: batch.step, ...lane });
    if (skips.inARow <= inARow) return;
    const ids = lanes.map(({ lane, examples }) => `lane ${lane}: ${examples.join(" ")}`);
    const own = ids.length > 0 ? `; examples of ${context.name}: ${ids.join("; ")}` : "";
    throw new LimbeckError(
      "diverged",
      `the gradients of ${skips.inARow} steps in a row, up to step ${batch.step} of ${plan.stage}, are not finite, more than nonFinite.inARow, ${inARow}: a lower learning rate or clipNorm may help${own}`,
    );
  }

  async #afterStep(feed: Feed, ending: Ending): Promise<void> {
    const { context, student, reports } = this.#parts;
    const { checkpoint, evaluation, verification } = context.job;
    const { step, plan } = student.replica;
    const isDue = (every: number) => every > 0 && step % every === 0;
    const ends = step === plan.steps;
    await feed.atBoundary();
    const savesNow = ends || isDue(checkpoint.everySteps);
    const savesAsked = this.isCheckpointWanted;
    this.isCheckpointWanted = false;
    if (savesNow || savesAsked || isDue(verification.everySteps)) {
      reports.tell({ digest: { stage: plan.stage, step, weightsSha256: await student.digest() } });
    }
    if ((savesNow && this.#rank === 0) || savesAsked) await this.#checkpoint();
    const evaluates = !ends && isDue(evaluation.everyEpochs * plan.stepsPerEpoch);
    if (evaluates) await this.#evaluate({ last: false }, ending);
  }

  async #checkpoint(): Promise<void> {
    const { context, student, membership, saved } = this.#parts;
    await context.metrics.checkpointing(() => student.save(membership.term, saved));
  }

  async #evaluate({ last }: { last: boolean }, ending: Ending): Promise<void> {
    const { context, membership, student, reports } = this.#parts;
    const { job, dataset } = context;
    const { split, batch } = job.evaluation;
    const { spec } = membership.plan;
    const device: EvaluationPlan["device"] = {
      ask: (kind, ask) => patiently(context, spec, () => context.device.ask(kind, ask), ending.soon),
    };
    const plan: EvaluationPlan = { device, network: "trained", dataset, split, batch };
    const share = { first: this.#rank, stride: membership.students.length };
    const results = [];
    for await (const chunk of evaluateChunks(plan, share, ending.soon)) results.push(chunk);
    const { step } = student.replica;
    reports.evaluated({ stage: membership.plan.stage, step, last, chunks: chunkCount(plan), results });
  }
}
