/** A student in one term: trains its lanes, evaluates its share, saves and compares what is due. */

import { LimbeckError } from "../core/errors.ts";
import type { Beginning } from "../core/participant.ts";
import type { Checkpointed } from "../proto/gen/limbeck/v1/Checkpointed.ts";
import { Batches, stepExamples } from "./batches.ts";
import { SoftTargetCache } from "./cache/cache.ts";
import { offerReplica } from "./catchup.ts";
import { nothing, viewOfEpoch, type WorkerContext } from "./context.ts";
import type { Ending } from "./ending.ts";
import { chunkCount, type EvaluationPlan, evaluateChunks } from "./evaluate.ts";
import { Exchange } from "./exchange/exchange.ts";
import { Feed } from "./feed.ts";
import { loadKernels } from "./kernels/kernels.ts";
import { type Membership, partsOf, reductionOf } from "./membership.ts";
import { inspected } from "./quarantine.ts";
import type { Reports } from "./reports.ts";
import { CachedSoftTargets, cacheSettings } from "./softtargets/cached.ts";
import { SoftTargetClient } from "./softtargets/client.ts";
import { FetchAhead } from "./softtargets/fetchahead.ts";
import { formatOf } from "./softtargets/format.ts";
import type { SoftTargetKey } from "./softtargets/provenance.ts";
import { StepReport, type StepSums } from "./stepreport.ts";
import type { Student } from "./student.ts";
import { type Training, train } from "./train.ts";

/** Of one request: a teacher that is alive answers in milliseconds, one that is busy in seconds. */
const softTargetsMs = 60_000;

/** Shorter waits are the normal course of a step and not worth a word. */
const noticedMs = 250;

export interface StudentTermParts {
  readonly context: WorkerContext;
  readonly membership: Membership;
  readonly student: Student;
  readonly reports: Reports;
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

  constructor(parts: StudentTermParts) {
    this.#parts = parts;
    this.#rank = parts.membership.rank!;
  }

  /** Trains to the end of the stage, evaluates, and reports that the stage is done. Throws the ending's reason where it is told to end. */
  async run(beginning: Beginning, ending: Ending): Promise<void> {
    const { context, membership, student, reports } = this.#parts;
    const { status, trained } = context;
    const { plan } = membership;
    const { replica } = student;
    const isSource = beginning.sources.includes(context.name);
    const takeBack = isSource ? await offerReplica(context, replica, beginning, await student.digest()) : () => {};
    if (beginning.evaluate && replica.step < plan.steps) await this.#evaluate({ last: false }, ending);
    if (replica.step < plan.steps) await this.#train(beginning, takeBack, ending);
    ending.soon.throwIfAborted();
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
    const softTargets = plan.soft && this.#softTargets(beginning);
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
    status.doing = `training the ${plan.stage === "teach" ? "teacher" : plan.stage === "distil" ? "student" : "baseline"}`;
    const request = {
      objective: plan.soft,
      seed: job.seed,
      merged: job.numerics === "fast",
      nodes: reduction.held[this.#rank]!,
      leaves: reduction.leaves,
    };
    const batches = this.#batches(softTargets, ending);
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
      exchange.closeTerm(`${context.name} has left off at step ${replica.step}`);
      await softTargets?.close();
    }
  }

  #stepReport(softTargets: CachedSoftTargets | null): StepReport {
    const { context, membership, reports, isHeard } = this.#parts;
    const { stage, steps } = membership.plan;
    const send = (sums: StepSums) => {
      reports.tell({ progress: { stage, ...sums, ...softTargets?.takeCounts() } });
    };
    const stepped = (step: number) => {
      context.status.step = step;
    };
    return new StepReport({ stage, steps }, { send, isHeard, stepped });
  }

  #batches(softTargets: CachedSoftTargets | null, ending: Ending): Batches {
    const { context, membership, student } = this.#parts;
    const { job, dataset } = context;
    const { stage, steps } = membership.plan;
    const { ledger, step } = student.replica;
    const lanes = { ledger, parts: partsOf(membership.students[this.#rank]!, job) };
    const range = { from: step, steps };
    const ahead =
      softTargets &&
      new FetchAhead(
        {
          examplesOf: (ofStep) => stepExamples(lanes, ofStep),
          request: (examples, epoch, spareMs) =>
            softTargets.request(this.#keyOf(examples, epoch), ending.soon, spareMs),
          latencyMs: () => softTargets.latencyMs,
          classes: dataset.classes,
          maxBytes: job.softTargets.aheadBytes,
        },
        range,
      );
    const source = {
      ...lanes,
      dataset,
      view: (epoch: number) => viewOfEpoch(job, stage, epoch),
      softTargets: ahead,
      slots: student.deal!.slots,
    };
    return new Batches(source, range);
  }

  #softTargets(beginning: Beginning): CachedSoftTargets {
    const { context, membership, reports } = this.#parts;
    const { job, dataset } = context;
    const settings = cacheSettings(context, membership.teacherSha256, beginning);
    return new CachedSoftTargets({
      teachers: this.#askTeachers(),
      cache: settings && new SoftTargetCache(settings, (why) => reports.tell({ warned: { why } })),
      wholeLanes: job.numerics === "exact",
      classes: dataset.classes,
    });
  }

  #askTeachers(): SoftTargetClient {
    const { context, membership, reports } = this.#parts;
    const { term, teachers, plan } = membership;
    const { softTargets } = context.job;
    const format = formatOf(softTargets, plan.soft!.temperature);
    const { onNoTeacher } = softTargets;
    return new SoftTargetClient({
      ...{ term, teachers, format, classes: context.dataset.classes, deadlineMs: softTargetsMs, onNoTeacher },
      random: Math.random,
      onLost: (worker, why) => reports.tell({ suspect: { worker, why } }),
      onCorrupted: (from, why) => reports.tell({ corrupted: { from, kind: "soft-targets", why } }),
    });
  }

  #keyOf(examples: Uint32Array, epoch: number): SoftTargetKey {
    const { context, membership } = this.#parts;
    const view = viewOfEpoch(context.job, membership.plan.stage, epoch);
    const { teacherSha256: teacher } = membership;
    return { teacher, dataset: context.dataset.digest, examples, view: view?.epoch ?? 0 };
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
    const { student, membership, saved } = this.#parts;
    await student.save(membership.term, saved);
  }

  async #evaluate({ last }: { last: boolean }, ending: Ending): Promise<void> {
    const { context, membership, student, reports } = this.#parts;
    const { job, device, dataset } = context;
    const { split, batch } = job.evaluation;
    const plan: EvaluationPlan = { device, network: "trained", dataset, split, batch };
    const share = { first: this.#rank, stride: membership.students.length };
    const results = [];
    for await (const chunk of evaluateChunks(plan, share, ending.soon)) results.push(chunk);
    const { step } = student.replica;
    reports.evaluated({ stage: membership.plan.stage, step, last, chunks: chunkCount(plan), results });
  }
}
