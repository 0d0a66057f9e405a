/** A student in one term, as worker/studentterm.ts and worker/train.ts: trains its lanes, evaluates its share, saves and compares. */

import { LimbeckError } from "../../core/errors.ts";
import { stepShare } from "../../core/ledger.ts";
import type { Beginning } from "../../core/participant.ts";
import { hash32 } from "../../core/random.ts";
import { sha256Of } from "./arithmetic.ts";
import { Exchange } from "./exchange.ts";
import { Feed } from "./feed.ts";
import type { Membership } from "./membership.ts";
import type { Replica } from "./replica.ts";
import { SoftTargetClient } from "./softtargets.ts";
import { type Ending, type Task, together, wait } from "./task.ts";
import type { WorkerProcess } from "./worker.ts";
import { between, type World } from "./world.ts";

/** Examples per chunk of an evaluation. */
const chunkExamples = 2;

export class StudentTerm {
  isCheckpointWanted = false;
  #softTargetClient: SoftTargetClient | null = null;
  #teachers: Membership["teachers"];
  readonly #world: World;
  readonly #worker: WorkerProcess;
  readonly #membership: Membership;
  readonly #replica: Replica;

  constructor(world: World, worker: WorkerProcess, membership: Membership, replica: Replica) {
    this.#world = world;
    this.#worker = worker;
    this.#membership = membership;
    this.#replica = replica;
    this.#teachers = membership.teachers;
  }

  teachersAre(teachers: Membership["teachers"]): void {
    this.#teachers = teachers;
    this.#softTargetClient?.teachersAre(teachers);
  }

  get needsTeacher(): boolean {
    return this.#softTargetClient?.isStranded ?? false;
  }

  *run(beginning: Beginning, ending: Ending): Task<void> {
    const { steps, stage } = this.#plan;
    const worker = this.#worker;
    const replica = this.#replica;
    const isSource = beginning.sources.includes(worker.name);
    const takeBack = isSource ? this.#offer(beginning) : () => {};
    if (beginning.evaluate && replica.step < steps) yield* this.#evaluate(false, ending);
    if (replica.step < steps) yield* this.#train(takeBack, ending);
    ending.soon.throwIfAborted();
    if (this.#membership.rank === 0 && steps > 0 && worker.saving.savedStep !== replica.step) this.#checkpoint();
    yield* worker.saving.saved();
    worker.doing = `evaluating ${stage}`;
    yield* this.#evaluate(true, ending);
    worker.trained.set(stage, replica.weights);
    const consumed = replica.consumption.totalsAfter(replica.step, this.#world.oracle.ledger);
    this.#world.invariants.stageEnded(worker.name, replica, consumed);
    const weightsSha256 = this.#world.oracle.digestOf(replica.stage, replica.weights);
    this.#tell({ kind: "stageDone", stage, step: replica.step, weightsSha256, consumed });
    worker.doing = `done with ${stage}`;
  }

  get #plan() {
    return this.#world.oracle.stages[this.#membership.stage]!;
  }

  /** As worker/catchup.ts: for members that are behind. */
  #offer({ term, step }: Beginning): () => void {
    const replica = this.#replica;
    const { publications } = this.#worker.peers;
    const state = { term, kind: "state", step, slice: 0 } as const;
    publications.publish({ ...state, state: replica.state(), isTainted: replica.isTainted });
    const sum = { term, kind: "sum", step: step - 1, slice: 0 } as const;
    const held = replica.sum?.step === sum.step ? replica.sum : null;
    if (held) publications.publish({ ...sum, vectors: [held.values], ids: held.ids, isTainted: held.isTainted });
    return () => {
      publications.withdraw(state);
      publications.withdraw(sum);
    };
  }

  *#train(takeBack: () => void, ending: Ending): Task<void> {
    const world = this.#world;
    const worker = this.#worker;
    const membership = this.#membership;
    const replica = this.#replica;
    const plan = this.#plan;
    const { term } = membership;
    const teachers = this.#teachers;
    const onLost = (teacher: string, why: string) => this.#tell({ kind: "suspect", worker: teacher, why });
    const softTargets = plan.soft ? new SoftTargetClient(world, worker, { term, teachers, onLost }) : null;
    this.#softTargetClient = softTargets;
    const exchange = new Exchange(world, worker.peers, membership);
    const feed = new Feed(worker, term, replica);
    worker.waiting = () => [...exchange.missing].join(", ") || (softTargets?.waitingFor ?? "");
    worker.doing = `training ${plan.stage}`;
    try {
      feed.atBoundary();
      while (replica.step < plan.steps && !ending.soon.reason) {
        const { step } = replica;
        const begunMs = world.clock.nowMs;
        const targets = softTargets ? yield* this.#softTargets(softTargets, step, ending) : null;
        const startedMs = world.clock.nowMs;
        const own = yield* this.#gradients(exchange, step, targets);
        const computeSeconds = (world.clock.nowMs - startedMs) / 1000;
        const isRedone = replica.attempted === step;
        replica.attempted = step;
        const { sum, ids, isTainted } = yield* exchange.allReduce(step, own, ending.now, takeBack);
        const isSkipped = replica.update(sum, ids, { isTainted, isRedone });
        world.invariants.updated(worker.name, replica);
        world.story.tell(worker.name, () => `step ${replica.step} of ${plan.stage} in term ${term}`);
        if (isSkipped) this.#skipped(step);
        this.#progressed(step, own.ids.length, { begunMs, startedMs, computeSeconds });
        yield* this.#afterStep(feed, ending);
      }
    } finally {
      worker.waiting = () => "";
      this.#softTargetClient = null;
      worker.peers.publications.closeTerm(term, `${worker.name} has left off at step ${replica.step}`);
      softTargets?.close();
    }
  }

  get #lanes(): number[] {
    const { students, rank } = this.#membership;
    const { firstLane, lanes } = students[rank!]!;
    return Array.from({ length: lanes }, (_, index) => firstLane + index);
  }

  *#softTargets(client: SoftTargetClient, step: number, ending: Ending): Task<number[]> {
    const view = stepShare(this.#world.oracle.ledger, step).epoch;
    const asked = this.#lanes.map((lane) => client.request(step, lane, view, ending.soon));
    return yield* wait(together(asked, () => {}));
  }

  *#gradients(exchange: Exchange, step: number, targets: readonly number[] | null) {
    const { oracle, scene, random } = this.#world;
    const { stage } = this.#membership;
    const { weights, isTainted } = this.#replica;
    const lanes = this.#lanes;
    yield* this.#worker.sleep(lanes.length * scene.laneMs * this.#worker.slowness * between(random, 0.8, 1.2));
    const gradients = lanes.map((lane, at) => oracle.gradient(stage, step, lane, weights, targets?.[at] ?? 0));
    const ids = Uint32Array.from(lanes.flatMap((lane) => [...oracle.idsOf(step)[lane]!]));
    return exchange.partials(gradients, ids, isTainted);
  }

  #skipped(step: number): void {
    const { oracle, scene } = this.#world;
    const { stage } = this.#plan;
    for (const lane of this.#lanes) {
      if (!oracle.poison.has(`${this.#membership.stage}/${step}/${lane}`)) continue;
      this.#tell({ kind: "skipped", stage, step, lane, examples: [...oracle.idsOf(step)[lane]!], why: "gradient" });
    }
    if (this.#replica.skips.inARow <= scene.job.nonFinite.inARow) return;
    throw new LimbeckError("diverged", `${this.#replica.skips.inARow} steps in a row are not finite`);
  }

  #progressed(
    step: number,
    own: number,
    { begunMs, startedMs, computeSeconds }: { begunMs: number; startedMs: number; computeSeconds: number },
  ): void {
    if (!this.#worker.isHeard) return;
    const { examples } = stepShare(this.#world.oracle.ledger, step);
    const metrics = { examples, loss: examples, hardLoss: examples, softLoss: 0, correct: 0, agree: 0 };
    const waited = (startedMs - begunMs) / 1000;
    const phases = { data: 0, softTargets: waited, compute: computeSeconds, exchange: 0, apply: 0 };
    const seconds = Math.max(this.#world.clock.nowMs - begunMs, 0.001) / 1000;
    const softTargets = this.#softTargetClient?.takeAsked() ?? 0;
    const counts = {
      softTargets,
      softTargetsCached: 0,
      softTargetBytes: softTargets,
      softTargetInputBytes: 0,
      hedged: 0,
      askedAgain: 0,
    };
    const rest = { ...counts, payloadError: null, learningRate: 0.1, gradientNorm: 1, consumed: null };
    const { stage } = this.#plan;
    this.#tell({ kind: "progress", stage, step: step + 1, examples: own, steps: 1, seconds, metrics, phases, ...rest });
  }

  *#afterStep(feed: Feed, ending: Ending): Task<void> {
    const { checkpoint, verification, evaluation } = this.#world.scene.job;
    const { step } = this.#replica;
    const { steps, stage, stepsPerEpoch } = this.#plan;
    const isDue = (every: number) => every > 0 && step % every === 0;
    const ends = step === steps;
    feed.atBoundary();
    const savesNow = ends || isDue(checkpoint.everySteps);
    const savesAsked = this.isCheckpointWanted;
    this.isCheckpointWanted = false;
    if (savesNow || savesAsked || isDue(verification.everySteps)) {
      this.#tell({ kind: "digest", stage, step, weightsSha256: sha256Of(this.#replica.weights) });
    }
    if ((savesNow && this.#membership.rank === 0) || savesAsked) this.#checkpoint();
    if (!ends && isDue(evaluation.everyEpochs * stepsPerEpoch)) yield* this.#evaluate(false, ending);
  }

  #checkpoint(): void {
    this.#worker.saving.save(this.#replica, this.#membership.term);
  }

  *#evaluate(last: boolean, ending: Ending): Task<void> {
    const { evaluationExamples } = this.#world.scene;
    const { students, rank } = this.#membership;
    const chunks = Math.ceil(evaluationExamples / chunkExamples);
    const results = [];
    for (let chunk = rank!; chunk < chunks; chunk += students.length) {
      ending.soon.throwIfAborted();
      yield* this.#worker.sleep(between(this.#world.random, 2, 10));
      const examples = Math.min(chunkExamples, evaluationExamples - chunk * chunkExamples);
      const drawn = Array.from({ length: examples }, (_, at) => hash32(this.#replica.weights, chunk, at) & 1);
      const predictions = Uint16Array.from(drawn);
      const labels = Uint16Array.from(drawn, () => 1);
      const confidences = Float32Array.from(drawn, () => 1);
      results.push({ chunk, examples, crossEntropy: 1, predictions, labels, confidences });
    }
    const { step } = this.#replica;
    this.#tell({ kind: "evaluated", stage: this.#plan.stage, step, last, chunks, results });
  }

  #tell(report: Parameters<WorkerProcess["tell"]>[1]): void {
    this.#worker.tell(this.#membership.term, report);
  }
}
