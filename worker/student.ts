/** A student in one stage: its network, its replica and their memory, kept across terms; what a term changes is laid out anew. */
import { join } from "node:path";
import { LimbeckError } from "../core/errors.ts";
import { sizeOf } from "../core/layout.ts";
import type { LedgerPlan } from "../core/ledger.ts";
import type { StagePlan } from "../core/stages.ts";
import { dropCheckpoints } from "./artifacts/checkpoint.ts";
import { checkpointRoot, findCheckpoint, saveReplica, stateOf } from "./checkpoints.ts";
import { modelRequest, type TrainedModel, type WorkerContext } from "./context.ts";
import { exchangeScratchFloats } from "./exchange/exchange.ts";
import { hostScratchVectors } from "./learn/gradients.ts";
import { type Membership, partsOf, reductionOf } from "./membership.ts";
import { optimizerSlots } from "./optimizers/slots.ts";
import { patiently } from "./patience.ts";
import { copyState, hasSum, initialReplica, type Replica, takeState, weightsDigest } from "./replica.ts";
import { type DealMemory, Workspace } from "./workspace.ts";

/** One batch is in use, the next is made meanwhile. */
const batchSlots = 2;

export class Student {
  readonly replica: Replica;
  /** Of the term it is laid out for; null before the first. */
  deal: DealMemory | null = null;
  readonly #context: WorkerContext;
  readonly #workspace: Workspace;
  /** The weights' digest as of a step: asked for by Ready, and again by those who are behind. */
  #digest: { readonly step: number; readonly sha256: Promise<string> } | null = null;
  #saving: Promise<void> = Promise.resolve();
  #savedStep = -1;

  private constructor(context: WorkerContext, replica: Replica, workspace: Workspace) {
    this.#context = context;
    this.replica = replica;
    this.#workspace = workspace;
  }

  /** Builds the stage's model: the replica at step 0, with the same bits everywhere (L1). */
  static async build(context: WorkerContext, plan: StagePlan, signal: AbortSignal): Promise<Student> {
    const { job, dataset, device, status } = context;
    status.doing = `building the ${plan.model}`;
    const building = () => device.ask("build", { name: "trained", ...modelRequest(context, plan.model) });
    const built = await patiently(context, plan.spec, building, signal);
    if (built.givenSha256 !== null && plan.training !== null) {
      throw new LimbeckError("bad_model", `the ${plan.model} must be one that can be trained: a tfjs LayersModel`);
    }
    const ledger: LedgerPlan = {
      seed: job.seed,
      trainExamples: dataset.count("train"),
      lanes: job.lanes.count,
      laneBatch: job.lanes.batch,
    };
    const workspace = new Workspace(built.layout, optimizerSlots(plan.training?.optimizer ?? null).length);
    const replica = initialReplica(plan, ledger, built, workspace.vectors());
    const student = new Student(context, replica, workspace);
    await takeState(replica, { ...replica, weights: built.weights, optimizerState: replica.optimizerState.slice() });
    await student.#bind();
    return student;
  }

  /** Goes on from the newest checkpoint that will do, if there is one. Tells which, and which not and why. */
  async restore(below: number): Promise<{ restoredFrom: string; skipped: readonly string[] }> {
    const { plan, ledger } = this.replica;
    // What was written since a replica went wrong is wrong, and would outlive what is written in its place.
    const root = checkpointRoot(this.#context);
    const { depot } = this.#context;
    if (below > 0) {
      await dropCheckpoints(root, plan.stage, below);
      await depot?.dropCheckpoints(plan.stage, below);
    }
    const { found, ...told } = await findCheckpoint(this.#context, plan.stage, { below, replica: this.replica });
    // The depot does not have them: they count for nothing, and would have the next ones pruned.
    if (depot) await dropCheckpoints(root, plan.stage, found ? found.step + 1 : 0);
    if (found) {
      await takeState(this.replica, stateOf(found, ledger.trainExamples));
      this.#digest = null;
      await this.#bind();
    }
    return told;
  }

  /** Lays out the memory of a deal. What the replica holds stays as it is. */
  async layOut(membership: Membership): Promise<void> {
    const { job, dataset } = this.#context;
    const { plan, layout } = this.replica;
    const rank = membership.rank!;
    const reduction = reductionOf(membership, job);
    this.deal = this.#workspace.layOut({
      nodes: reduction.held[rank]!,
      parts: partsOf(membership.students[rank]!, job),
      laneBatch: job.lanes.batch,
      features: sizeOf(dataset.shape),
      classes: dataset.classes,
      softTargets: plan.soft !== null,
      slots: batchSlots,
      scratchVectors: hostScratchVectors(reduction.leaves),
      exchangeFloats: exchangeScratchFloats(layout.gradient, reduction.held, rank),
    });
    Object.assign(this.replica, this.#workspace.vectors());
    await this.#bind();
  }

  get memory(): WebAssembly.Memory {
    return this.#workspace.memory;
  }

  /** Where it stands, for Ready. */
  async standing(): Promise<{ parameters: number; weightsSha256: string; step: number; hasSum: boolean }> {
    const { layout, step } = this.replica;
    return {
      parameters: layout.weights,
      weightsSha256: await this.digest(),
      step,
      hasSum: hasSum(this.replica),
    };
  }

  /** sha256 of the weights; nothing may train meanwhile. */
  digest(): Promise<string> {
    const { step } = this.replica;
    if (this.#digest?.step !== step) this.#digest = { step, sha256: weightsDigest(this.replica) };
    return this.#digest!.sha256;
  }

  /** The replica at the call's step has been saved, or is being saved. */
  get isSaved(): boolean {
    return this.#savedStep === this.replica.step;
  }

  /** Takes a copy of the replica before it returns; the disk takes its time while training goes on. */
  async save(term: number, saved: (checkpoint: Awaited<ReturnType<typeof saveReplica>>) => void): Promise<void> {
    await this.#saving;
    const sha256 = await this.digest();
    const state = await copyState(this.replica);
    this.#savedStep = state.step;
    const { metrics, depot, runFolder, job } = this.#context;
    const { stage } = this.replica.plan;
    const saving = metrics.saving(saveReplica(this.#context, this.replica, { state, term, sha256 }));
    this.#saving = saving.then((local) => {
      if (!depot) return saved(local);
      // Told when all can reach it; training, and the next checkpoint, do not wait for that.
      depot.saved(join(runFolder, local.folder), { stage, keep: job.checkpoint.keep }, () => saved(local));
    });
    this.#saving.catch(() => {}); // Whoever waits for it next is told.
  }

  /** What is being saved is saved. Throws where it could not be. */
  saved(): Promise<void> {
    return this.#saving;
  }

  async trainedModel(): Promise<TrainedModel> {
    const { order, layout, topology, givenSha256 } = this.replica;
    const { weights } = await copyState(this.replica);
    return { order, layout, topology, givenSha256, weights, sha256: await this.digest() };
  }

  /** The compute thread has nothing to bind of a teacher that is only asked. */
  async #bind(): Promise<void> {
    if (this.replica.givenSha256 !== null) return;
    const optimizer = this.replica.plan.training?.optimizer ?? null;
    await this.#context.device.ask("bind", this.#workspace.binding(this.deal, optimizer));
  }
}
