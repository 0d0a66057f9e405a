/** A student worker in one term of one stage: builds its replica, trains its lanes, evaluates its share. */
import type { LedgerPlan } from "../core/ledger.ts";
import { weightsSha256 } from "./artifacts/digest.ts";
import { Batches } from "./batches.ts";
import { saveReplica } from "./checkpoints.ts";
import { evaluationSplit, nothing, type TrainedModel, viewOfEpoch, type WorkerContext } from "./context.ts";
import { chunkCount, type EvaluationPlan, evaluateChunks } from "./evaluate.ts";
import { Exchange, exchangeScratchFloats } from "./exchange/exchange.ts";
import { loadKernels } from "./kernels/kernels.ts";
import { hostScratchVectors } from "./learn/gradients.ts";
import { type Membership, partsOf, rankOf, reductionOf } from "./membership.ts";
import { optimizerSlots } from "./optimizers/slots.ts";
import { initialReplica, type Replica } from "./replica.ts";
import type { Reports } from "./reports.ts";
import { SoftTargetClient, type SoftTargetKey } from "./softtargets/client.ts";
import { StepReport } from "./stepreport.ts";
import { train } from "./train.ts";
import { allocateWorkspace, bindingOf, type Workspace } from "./workspace.ts";

/** Of one request: a teacher that is alive answers in milliseconds, one that is busy in seconds. */
const softTargetsMs = 60_000;

/** Shorter waits are the normal course of a step and not worth a word. */
const noticedMs = 250;

export class Student {
  readonly #context: WorkerContext;
  readonly #membership: Membership;
  readonly #rank: number;
  readonly #replica: Replica;
  readonly #workspace: Workspace;
  #saving: Promise<void> = Promise.resolve();

  private constructor(context: WorkerContext, membership: Membership, replica: Replica, workspace: Workspace) {
    this.#context = context;
    this.#membership = membership;
    this.#rank = rankOf(membership.students, context.name);
    this.#replica = replica;
    this.#workspace = workspace;
  }

  /** Builds the stage's model and lays out its memory. */
  static async prepare(context: WorkerContext, membership: Membership): Promise<Student> {
    const { job, dataset, device, jobFolder, status } = context;
    const { plan } = membership;
    status.doing = `building the ${plan.model}`;
    const built = await device.ask("build", {
      name: "trained",
      spec: plan.spec,
      inputShape: dataset.shape,
      classes: dataset.classes,
      seed: job.seed,
      jobFolder,
      role: plan.model,
    });
    const rank = rankOf(membership.students, context.name);
    const reduction = reductionOf(membership, job);
    const ledger: LedgerPlan = {
      seed: job.seed,
      trainExamples: dataset.count("train"),
      lanes: job.lanes.count,
      laneBatch: job.lanes.batch,
    };
    const workspace = allocateWorkspace({
      layout: built.layout,
      optimizerSlots: optimizerSlots(plan.training?.optimizer ?? null).length,
      nodes: reduction.held[rank]!,
      parts: partsOf(membership.students[rank]!, job),
      laneBatch: job.lanes.batch,
      features: dataset.shape.reduce((product, side) => product * side, 1),
      classes: dataset.classes,
      softTargets: plan.soft !== null,
      slots: plan.soft === null ? 2 : job.softTargets.ahead + 1,
      scratchVectors: hostScratchVectors(reduction.leaves),
      exchangeFloats: exchangeScratchFloats(built.layout.gradient, reduction.held, rank),
    });
    const replica = initialReplica(plan, ledger, built, workspace);
    await device.ask("bind", bindingOf(workspace, plan.training?.optimizer ?? null));
    return new Student(context, membership, replica, workspace);
  }

  /** What the coordinator compares between students before it lets them begin. */
  ready(): { parameters: number; weightsSha256: string; step: number } {
    return { parameters: this.#replica.layout.weights, weightsSha256: this.#sha256(), step: this.#replica.step };
  }

  /** Trains to the end of the stage, evaluates, and reports that the stage is done. */
  async run(reports: Reports, signal: AbortSignal): Promise<void> {
    const { status, trained } = this.#context;
    const { plan } = this.#membership;
    if (this.#replica.step < plan.steps) await this.#train(reports, signal);
    await this.#saving;
    status.doing = `evaluating the ${plan.model}`;
    await this.#evaluate(reports, { last: true }, signal);
    const sha256 = this.#sha256();
    trained.set(plan.stage, this.#trainedModel(sha256));
    const consumed = this.#replica.consumption.totalsAfter(this.#replica.step, this.#replica.ledger);
    reports.stageDone({ stage: plan.stage, step: this.#replica.step, weightsSha256: sha256, consumed });
    status.doing = `done with ${plan.stage}`;
  }

  async #train(reports: Reports, signal: AbortSignal): Promise<void> {
    const { job, device, dataset, status } = this.#context;
    const membership = this.#membership;
    const replica = this.#replica;
    const { plan, students, term } = membership;
    const reduction = reductionOf(membership, job);
    const softTargets = plan.soft && this.#askTeachers();
    const report = new StepReport(plan.stage, plan.steps, (sums) => {
      status.step = sums.step;
      reports.progress({
        stage: plan.stage,
        ...sums,
        ...(softTargets?.takeCounts() ?? { softTargets: 0, softTargetBytes: 0 }),
      });
    });
    const exchange = new Exchange({
      ...this.#context.services.peers,
      term,
      members: students,
      rank: this.#rank,
      ...reduction,
      partials: this.#workspace.partials,
      sum: this.#workspace.sum,
      scratch: this.#workspace.exchangeScratch,
      kernels: loadKernels(this.#workspace.arena.memory),
    });
    const source = {
      ledger: replica.ledger,
      parts: partsOf(students[this.#rank]!, job),
      dataset,
      view: (epoch: number) => viewOfEpoch(job, plan.stage, epoch),
      softTargets:
        softTargets &&
        ((examples: Uint32Array, epoch: number) => softTargets.request(this.#keyOf(examples, epoch), signal)),
      slots: this.#workspace.slots,
    };
    const awaited = () => exchange.waitingFor || (softTargets?.waitingFor ?? "");
    status.waitingFor = () => (report.phaseMs < noticedMs ? "" : awaited());
    try {
      status.doing =
        plan.stage === "teach"
          ? "training the teacher"
          : `training the ${plan.stage === "distil" ? "student" : "baseline"}`;
      const batches = new Batches(source, { from: replica.step, steps: plan.steps });
      const request = {
        objective: plan.soft,
        seed: job.seed,
        merged: job.numerics === "fast",
        nodes: reduction.held[this.#rank]!,
        leaves: reduction.leaves,
      };
      const afterStep = () => this.#afterStep(reports, report, signal);
      await train({ replica, device, batches, exchange, sum: this.#workspace.sum, request, report, afterStep }, signal);
    } finally {
      status.waitingFor = nothing;
      exchange.closeTerm(`the stage ${plan.stage} of term ${term} is over`);
      softTargets?.close();
    }
  }

  #askTeachers(): SoftTargetClient {
    const { job, dataset } = this.#context;
    const { term, teachers } = this.#membership;
    const { format } = job.softTargets;
    return new SoftTargetClient({ term, teachers, format, classes: dataset.classes, deadlineMs: softTargetsMs });
  }

  #keyOf(examples: Uint32Array, epoch: number): SoftTargetKey {
    const { job, dataset } = this.#context;
    const view = viewOfEpoch(job, this.#membership.plan.stage, epoch);
    return { teacher: this.#membership.teacherSha256, dataset: dataset.digest, examples, view: view?.epoch ?? 0 };
  }

  async #afterStep(reports: Reports, report: StepReport, signal: AbortSignal): Promise<void> {
    const { job } = this.#context;
    const { step, plan } = this.#replica;
    const { everySteps } = job.checkpoint;
    const { everyEpochs } = job.evaluation;
    const ends = step === plan.steps;
    const checkpointDue = this.#rank === 0 && (ends || (everySteps > 0 && step % everySteps === 0));
    const evaluationDue = !ends && everyEpochs > 0 && step % (everyEpochs * plan.stepsPerEpoch) === 0;
    if (checkpointDue) await report.outside(() => this.#checkpoint(reports));
    if (evaluationDue) await report.outside(() => this.#evaluate(reports, { last: false }, signal));
  }

  async #checkpoint(reports: Reports): Promise<void> {
    await this.#saving;
    // Its copy of the replica is taken before this returns; the disk takes its time while training goes on.
    this.#saving = saveReplica(this.#context, this.#replica, this.#membership.term, this.#sha256()).then((saved) =>
      reports.checkpointed(saved),
    );
    this.#saving.catch(() => {}); // Whoever waits for it next is told.
  }

  async #evaluate(reports: Reports, { last }: { last: boolean }, signal: AbortSignal): Promise<void> {
    const { job, device, dataset } = this.#context;
    const plan: EvaluationPlan = {
      device,
      network: "trained",
      dataset,
      split: evaluationSplit(job),
      batch: job.evaluation.batch,
    };
    const share = { first: this.#rank, stride: this.#membership.students.length };
    const results = [];
    for await (const chunk of evaluateChunks(plan, share, signal)) results.push(chunk);
    reports.evaluated({
      stage: this.#replica.plan.stage,
      step: this.#replica.step,
      last,
      chunks: chunkCount(plan),
      results,
    });
  }

  #sha256(): string {
    const { order, layout, weights } = this.#replica;
    return weightsSha256(order, layout, weights);
  }

  #trainedModel(sha256: string): TrainedModel {
    const { order, layout, topology, weights } = this.#replica;
    return { order, layout, topology, weights: weights.slice(), sha256 };
  }
}
