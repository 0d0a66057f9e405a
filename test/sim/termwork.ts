/** The work of a worker in its terms, as worker/termwork.ts and worker/roles.ts, with tasks that take virtual time. */
import type { Beginning, ParticipantEffect, ParticipantEvent } from "../../core/participant.ts";
import type { ToWorker } from "../../proto/gen/limbeck/v1/ToWorker.ts";
import { initialWeights, sha256Of } from "./arithmetic.ts";
import { catchUp, follow } from "./catchup.ts";
import type { Membership } from "./membership.ts";
import { Replica } from "./replica.ts";
import { Saving } from "./saving.ts";
import { SoftTargetServer } from "./softtargets.ts";
import { StudentTerm } from "./student.ts";
import type { Ending, Task } from "./task.ts";
import { Teacher } from "./teacher.ts";
import type { WorkerProcess } from "./worker.ts";
import { between, type World } from "./world.ts";

type Event = ParticipantEvent<Membership>;

export class TermWork {
  replica: Replica | null = null;
  readonly saving: Saving;
  readonly #world: World;
  readonly #worker: WorkerProcess;
  /** Part of a piece of work is done, and the coordinator is about to be told. */
  readonly #on: (event: Event) => void;
  readonly #softTargets: SoftTargetServer;
  readonly #teacher: Teacher;
  #membership: Membership | null = null;
  #studentTerm: StudentTerm | null = null;

  constructor(world: World, worker: WorkerProcess, on: (event: Event) => void) {
    this.#world = world;
    this.#worker = worker;
    this.#on = on;
    this.saving = new Saving(world, worker);
    this.#teacher = new Teacher(world, worker);
    this.#softTargets = new SoftTargetServer(world, worker.name, worker.life);
  }

  /** Updates of the replica that is to begin; null where the term's beginning is none for it. */
  get beginsAt(): number | null {
    return this.#membership?.rank === null ? null : (this.replica?.step ?? null);
  }

  get isTeacher(): boolean {
    return this.#membership?.isTeacher ?? false;
  }

  get serving() {
    return this.#softTargets.serving;
  }

  /** Waits for soft targets that no teacher is there to serve. */
  get needsTeacher(): boolean {
    return this.#studentTerm?.needsTeacher ?? false;
  }

  *prepare(membership: Membership, ending: Ending): Task<Event> {
    const { term, rank, isTeacher, stage } = membership;
    const { oracle, random } = this.#world;
    const worker = this.#worker;
    this.open(membership);
    this.#keepOnly(rank === null ? "teacher" : "student");
    let standing = { parameters: 0, weightsSha256: "", step: 0, hasSum: false };
    let told: { restoredFrom: string; skipped: string[] } = { restoredFrom: "", skipped: [] };
    if (isTeacher && oracle.stages[stage]!.soft) {
      const weights = yield* this.#teacher.weights(membership, ending);
      this.#softTargets.serve(term, weights);
      standing = { parameters: 1, weightsSha256: sha256Of(weights), step: 0, hasSum: false };
    }
    if (rank !== null) {
      told = yield* this.#layOut(membership);
      const { weights, step, sum } = this.replica!;
      const hasSum = sum?.step === step - 1;
      standing = { parameters: 1, weightsSha256: oracle.digestOf(stage, weights), step, hasSum };
    }
    yield* worker.sleep(between(random, 1, 10));
    ending.now.throwIfAborted();
    this.#on({ kind: "prepared", term });
    if (worker.state.term === term)
      worker.tell(term, { kind: "ready", ...standing, ...told, holds: worker.holds, uncacheable: "" });
    return { kind: "prepared", term };
  }

  open(membership: Membership): void {
    const { peers, trained } = this.#worker;
    this.#membership = membership;
    this.#studentTerm = null;
    this.#softTargets.stop();
    peers.publications.openTerm(membership.term);
    const teacher = trained.get("teach");
    if (teacher === undefined) return;
    const what = { term: membership.term, kind: "teacher", step: 0, slice: 0 } as const;
    peers.publications.publish({ ...what, vectors: [[teacher]], isTainted: false });
  }

  *catchUp({ how, beginning }: ParticipantEffect<Membership> & { kind: "catch-up" }, ending: Ending): Task<Event> {
    yield* catchUp(how, beginning, { world: this.#world, worker: this.#worker, replica: this.replica!, ending });
    return { kind: "caught-up", term: beginning.term };
  }

  *train(beginning: Beginning, ending: Ending): Task<Event> {
    yield* this.#studentTerm!.run(beginning, ending);
    return { kind: "finished", term: beginning.term };
  }

  teachersAre(teachers: Membership["teachers"]): void {
    this.#studentTerm?.teachersAre(teachers);
  }

  *follow(term: number, order: NonNullable<ToWorker["follow"]>, ending: Ending): Task<Event> {
    const worker = this.#worker;
    const { stage, source, teacherSha256, teacherSources, part } = order;
    const at = this.#world.oracle.indexOf(stage!);
    worker.peers.publications.openTerm(term);
    worker.doing = "following";
    const caughtUp = (step: number) =>
      worker.tell(term, { kind: "caughtUp", stage: stage! as "teach", step, holds: worker.holds, uncacheable: "" });
    this.#keepOnly(source ? "student" : "teacher");
    if (!source) {
      const sources = teacherSources!.map(({ worker: name }) => name!);
      const wanted = { term, part: part!, teacherSha256: teacherSha256!, teacherSources: sources };
      this.#softTargets.serve(term, yield* this.#teacher.weights(wanted, ending));
      ending.soon.throwIfAborted();
      this.#on({ kind: "serves", term });
      caughtUp(0);
      return { kind: "serves", term };
    }
    const replica = this.replica?.stage === at ? this.replica : yield* this.#build(at);
    yield* follow({ world: this.#world, worker, replica, term, source: source.worker!, caughtUp }, ending);
    return { kind: "stopped" };
  }

  *export(term: number, stage: "teach", ending: Ending): Task<Event> {
    const worker = this.#worker;
    worker.doing = `writing the models of ${stage}`;
    yield* worker.sleep(between(this.#world.random, 20, 200));
    ending.soon.throwIfAborted();
    this.#world.invariants.exported(worker.name, stage, worker.trained.get(stage));
    const score = { examples: 1, errors: 0, accuracy: 1, crossEntropy: 1 };
    const models = [{ folder: stage, format: "float32", bytes: 1, score, latencies: [] }];
    worker.tell(term, { kind: "exported", stage, models, latencies: [], pictures: [] });
    return { kind: "exported", term };
  }

  saveAtBoundary(): void {
    if (this.#studentTerm) this.#studentTerm.isCheckpointWanted = true;
  }

  forget(): void {
    this.replica = null;
    this.#studentTerm = null;
    this.#membership = null;
    this.saving.forget();
    this.#softTargets.stop();
    this.#worker.peers.publications.reset("it joins as new");
  }

  #keepOnly(role: "student" | "teacher"): void {
    if (role === "teacher") this.replica = null;
    else this.#teacher.drop();
  }

  *#layOut(membership: Membership): Task<{ restoredFrom: string; skipped: string[] }> {
    const { disk, random, invariants } = this.#world;
    const { stage, restore, restoreBelow } = membership;
    const goesBack = restore && restoreBelow > 0;
    const isNew = this.replica?.stage !== stage || goesBack;
    let told: { restoredFrom: string; skipped: string[] } = { restoredFrom: "", skipped: [] };
    if (isNew) yield* this.#build(stage);
    if (isNew && restore) {
      yield* this.#worker.sleep(between(random, 5, 30));
      if (goesBack) disk.distrust(stage, restoreBelow);
      const { found, skipped } = disk.newest(stage, restoreBelow);
      if (found) this.replica!.take(found);
      told = { restoredFrom: found ? `${stage}-${found.step}` : "", skipped };
    }
    const replica = this.replica!;
    invariants.updated(this.#worker.name, replica);
    this.#studentTerm = new StudentTerm(this.#world, this.#worker, membership, replica);
    return told;
  }

  *#build(stage: number): Task<Replica> {
    yield* this.saving.saved();
    this.replica = null;
    yield* this.#worker.sleep(between(this.#world.random, 10, 60));
    const { scene, oracle, code } = this.#world;
    this.saving.forget();
    this.replica = new Replica(stage, initialWeights(scene.job.seed, stage), oracle.ledger, code.consume);
    return this.replica;
  }
}
