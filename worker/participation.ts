/** Performs what core/participant.ts decides: the work of one life of a worker, from its first term to its fence. */
import { asLimbeckError, LimbeckError } from "../core/errors.ts";
import {
  type Beginning,
  type CatchUp,
  isMember,
  newParticipant,
  type Participant,
  type ParticipantEffect,
  type ParticipantEvent,
  participate,
  type Trouble,
} from "../core/participant.ts";
import type { Stage } from "../core/stages.ts";
import type { Export__Output } from "../proto/gen/limbeck/v1/Export.ts";
import type { Follow__Output } from "../proto/gen/limbeck/v1/Follow.ts";
import type { FromWorker } from "../proto/gen/limbeck/v1/FromWorker.ts";
import type { ToWorker__Output } from "../proto/gen/limbeck/v1/ToWorker.ts";
import { KeptCache } from "./cache/kept.ts";
import { catchUp } from "./catchup.ts";
import { nothing, type WorkerContext, withDataset } from "./context.ts";
import type { Dataset } from "./data/dataset.ts";
import { Ending } from "./ending.ts";
import { PeerFailure } from "./exchange/peerfailure.ts";
import { exportStage } from "./export.ts";
import { follow } from "./following.ts";
import { factsIn, type Membership, planOf, understand } from "./membership.ts";
import { type Report, Reports } from "./reports.ts";
import { Student } from "./student.ts";
import { StudentTerm } from "./studentterm.ts";
import { Teacher, type WantedTeacher } from "./teacher.ts";

type Event = ParticipantEvent<Membership>;

/** What of the worker's life the work does not know. */
export interface Surroundings {
  /** To the coordinator, now or when there is one again. */
  send(message: FromWorker): void;
  isHeard(): boolean;
  /** Nothing another term could mend. */
  fail(error: LimbeckError): void;
  /** What it does now is something else. */
  changed(): void;
}

/** Whose it is has been looked at. */
type Order = Omit<ToWorker__Output, "fence">;

export class Participation {
  readonly #context: WorkerContext<Dataset | null>;
  readonly #around: Surroundings;
  #state: Participant<Membership> = newParticipant;
  /** Of the work in flight. */
  #ending: Ending | null = null;
  #done: Promise<void> = Promise.resolve();
  #membership: Membership | null = null;
  #student: Student | null = null;
  #studentTerm: StudentTerm | null = null;
  #teacher: Teacher | null = null;
  readonly #cache = new KeptCache();
  #follow: Follow__Output | null = null;
  #exports: Export__Output | null = null;

  constructor(context: WorkerContext<Dataset | null>, around: Surroundings) {
    this.#context = context;
    this.#around = around;
    if (context.depot) context.depot.onWarning = (why) => this.#tell({ warned: { why } });
    context.services.peers.client.onCorrupted = (from, kind, why) => this.#tell({ corrupted: { from, kind, why } });
  }

  get term(): number {
    return this.#state.term;
  }

  get isMember(): boolean {
    return isMember(this.#state);
  }

  /** It goes on without a coordinator. */
  get isWorking(): boolean {
    const { kind } = this.#state.work;
    return kind === "training" || kind === "catching-up" || kind === "exporting";
  }

  get isIdle(): boolean {
    return this.#state.work.kind === "none";
  }

  /** Stages whose trained weights it has. */
  get holds(): Stage[] {
    return [...this.#context.trained.keys()];
  }

  /** An order of the coordinator; those of older terms have no effect (L3). */
  hear({ term, ...order }: Order): void {
    try {
      this.#hear(term, order);
    } catch (thrown) {
      this.#around.fail(asLimbeckError(thrown));
    }
  }

  /** The coordinator does not know this life any more. */
  fence(why: string): void {
    this.#on({ kind: "fenced", why });
  }

  /** The worker goes: what waits is woken, what runs stops after its op. */
  async end(why: string): Promise<void> {
    this.#ending?.end({ planned: false, why });
    this.#context.services.softTargets.stop();
    await this.#done;
    await this.#student?.saved().catch(() => {});
    await this.#context.depot?.close();
    await this.#cache.close();
  }

  #hear(term: number, order: Omit<Order, "term">): void {
    switch (order.body) {
      case "assign": {
        this.#on({ kind: "assigned", assigned: understand(term, order.assign!, this.#context) });
        return;
      }
      case "begin": {
        // Teachers serve from when they are ready.
        if (this.#membership?.rank === null || !this.#student) return;
        const beginning = { term, ...order.begin! };
        this.#on({ kind: "begun", beginning, step: this.#student.replica.step });
        return;
      }
      case "teachers":
        if (term === this.#state.term) this.#studentTerm?.teachersAre(order.teachers!.teachers);
        return;
      case "follow":
        this.#follow = order.follow!;
        this.#on({ kind: "told-to-follow", term });
        return;
      case "pause":
        this.#on({ kind: "paused", term, why: order.pause!.why });
        return;
      case "export":
        this.#exports = order.export!;
        this.#on({ kind: "told-to-export", term });
        return;
      case "checkpoint":
        if (term === this.#state.term) void this.#saveCheckpoint();
        return;
      case "welcome":
      case "stop":
      case "idle":
      case undefined:
        return;
    }
  }

  #on(event: Event): void {
    const before = this.#state.work.kind;
    const [next, ...effects] = participate(this.#state, event);
    this.#state = next;
    for (const effect of effects) {
      this.#log(effect);
      this.#perform(effect);
    }
    if (next.work.kind === before && effects.length === 0) return;
    this.#describe(event);
    this.#around.changed();
  }

  /** What was decided, and why. */
  #log(effect: ParticipantEffect<Membership>): void {
    const { log } = this.#context;
    const at = { event: effect.kind, term: this.#state.term, step: this.#student?.replica.step ?? 0 };
    switch (effect.kind) {
      case "prepare":
      case "stand-by":
        log.info({ ...at, stage: effect.assigned.plan.stage }, effect.assigned.why);
        return;
      case "stop":
      case "suspect":
        log.info({ ...at, ...("worker" in effect && { worker: effect.worker }) }, effect.why);
        return;
      case "train":
      case "catch-up":
        log.info(at, `all members are ready, the term begins at step ${effect.beginning.step}`);
        return;
      case "follow":
        log.info(at, "it is to join a later term");
        return;
      case "export":
        log.info(at, `all agree on the weights of ${this.#exports!.stage}`);
        return;
      case "forget":
        log.warn(at, "the coordinator does not know it any more");
        return;
      case "fail":
        return; // Said by who ends the process.
    }
  }

  #perform(effect: ParticipantEffect<Membership>): void {
    switch (effect.kind) {
      case "stop":
        this.#ending?.end(effect);
        return;
      case "prepare":
        this.#start((ending) => this.#prepare(effect.assigned, ending));
        return;
      case "stand-by":
        this.#standBy(effect.assigned);
        return;
      case "catch-up":
        this.#start((ending) => this.#catchUp(effect.how, effect.beginning, ending));
        return;
      case "train":
        this.#start((ending) => this.#train(effect.beginning, ending));
        return;
      case "follow":
        this.#start((ending) => this.#keepUp(this.#follow!, ending));
        return;
      case "export":
        this.#start((ending) => this.#export(ending));
        return;
      case "suspect":
        this.#tell({ suspect: { worker: effect.worker, why: effect.why } });
        return;
      case "fail":
        this.#around.fail(new LimbeckError(effect.trouble.code, effect.trouble.message));
        return;
      case "forget":
        this.#forget();
        return;
    }
  }

  /** Runs work that ends with what became of it. Told to end, it says no more than that it has. */
  #start(work: (ending: Ending) => Promise<Event>): void {
    const ending = new Ending();
    const { term } = this.#state;
    this.#ending = ending;
    this.#done = work(ending)
      .catch((thrown): Event => ({ kind: "troubled", term, trouble: troubleOf(thrown) }))
      .then((event) => {
        this.#ending = null;
        this.#on(ending.soon.aborted ? { kind: "stopped" } : event);
      });
  }

  async #prepare(membership: Membership, ending: Ending): Promise<Event> {
    const { term, rank, isTeacher, plan } = membership;
    this.#open(membership);
    await this.#keepOnly(rank !== null ? "student" : "teacher");
    let standing: Report["ready"] = { parameters: 0, weightsSha256: "", step: 0 };
    if (isTeacher && plan.soft) {
      const { parameters, sha256, uncacheable } = await this.#serve(membership, ending);
      standing = { parameters, weightsSha256: sha256, step: 0, uncacheable };
    }
    if (rank !== null) standing = await this.#layOut(membership, ending);
    ending.now.throwIfAborted();
    const ready = { ...standing, holds: this.holds };
    // First so that what Ready calls for finds the worker ready.
    this.#on({ kind: "prepared", term });
    if (this.#state.term === term) this.#around.send({ term, ready });
    return { kind: "prepared", term };
  }

  /** L3. From now on only this term's payloads are given. */
  #open(membership: Membership): void {
    const { term, students, teachers, teacherSources } = membership;
    const { services, trained } = this.#context;
    this.#membership = membership;
    this.#studentTerm = null;
    services.softTargets.stop();
    services.peers.server.openTerm(term);
    services.peers.client.keepOnly([...students, ...teachers, ...teacherSources]);
    const teacher = trained.get("teach");
    if (!teacher || teacher.givenSha256 !== null) return;
    const { weights, sha256 } = teacher;
    const payload = [new Uint8Array(weights.buffer, weights.byteOffset, weights.byteLength)];
    services.peers.server.publish({ term, kind: "teacher", step: 0, slice: 0, payload, sha256 });
  }

  async #serve(wanted: WantedTeacher & Pick<Membership, "plan">, ending: Ending): Promise<Teacher> {
    if (!this.#teacher?.fits(wanted)) this.#teacher = await Teacher.prepare(this.#context, wanted, ending.soon);
    this.#context.services.softTargets.serve(this.#teacher!.serving(wanted.term, wanted.plan.stage));
    return this.#teacher!;
  }

  /** L8. Who has turned from one role to the other keeps nothing of the first; the trained weights stay, as models. */
  async #keepOnly(role: "student" | "teacher"): Promise<void> {
    const { device } = this.#context;
    if (role === "teacher" && this.#student) {
      await this.#student.saved().catch(() => {});
      this.#student = null;
      await this.#cache.close();
      await device.ask("drop", { name: "trained" });
    }
    if (role === "student" && this.#teacher) {
      this.#teacher = null;
      await device.ask("drop", { name: "teacher" });
    }
  }

  async #layOut(membership: Membership, ending: Ending): Promise<Report["ready"]> {
    const { plan, restore, restoreBelow } = membership;
    // A checkpoint is for who has nothing; all go back to one only where what they have is not to be trusted.
    const goesBack = restore && restoreBelow > 0;
    const isNew = this.#student?.replica.plan.stage !== plan.stage || goesBack;
    const student = isNew ? await this.#build(plan, ending) : this.#student!;
    const told = isNew && restore ? await student.restore(restoreBelow) : { restoredFrom: "", skipped: [] };
    await student.layOut(membership);
    this.#studentTerm = new StudentTerm({
      context: withDataset(this.#context),
      membership,
      student,
      reports: this.#reports(membership.term),
      cache: this.#cache,
      isHeard: () => this.#around.isHeard(),
      saved: (checkpointed) => this.#tell({ checkpointed }),
    });
    return { ...(await student.standing()), ...told, skipped: [...told.skipped] };
  }

  async #build(plan: Membership["plan"], ending: Ending): Promise<Student> {
    await this.#student?.saved().catch(() => {});
    this.#student = null;
    this.#student = await Student.build(withDataset(this.#context), plan, ending.soon);
    return this.#student;
  }

  #standBy(membership: Membership): void {
    this.#open(membership);
  }

  async #catchUp(how: CatchUp, beginning: Beginning, ending: Ending): Promise<Event> {
    const { students: members } = this.#membership!;
    const { replica } = this.#student!;
    await catchUp(how, beginning, { context: withDataset(this.#context), replica, members, signal: ending.now });
    return { kind: "caught-up", term: beginning.term };
  }

  async #train(beginning: Beginning, ending: Ending): Promise<Event> {
    await this.#studentTerm!.run(beginning, ending);
    return { kind: "finished", term: beginning.term };
  }

  async #keepUp(order: Follow__Output, ending: Ending): Promise<Event> {
    const { job, dataset, services, status } = this.#context;
    const { term } = this.#state;
    const facts = factsIn(order, dataset);
    const plan = planOf(order, job, facts.trainExamples);
    services.peers.server.openTerm(term);
    await this.#keepOnly(order.source ? "student" : "teacher");
    if (!order.source) {
      const { uncacheable } = await this.#serve({ term, plan, ...order, dataset: facts }, ending);
      ending.soon.throwIfAborted();
      // First so that what is asked finds it serving.
      this.#on({ kind: "serves", term });
      this.#around.send({ term, caughtUp: { stage: plan.stage, step: 0, holds: this.holds, uncacheable } });
      return { kind: "serves", term };
    }
    const student = this.#student?.replica.plan.stage === plan.stage ? this.#student : await this.#build(plan, ending);
    status.doing = "following the students";
    const caughtUp = (step: number) => this.#around.send({ term, caughtUp: { stage: plan.stage, step } });
    const { replica } = student;
    await follow({ context: withDataset(this.#context), replica, term, source: order.source, caughtUp }, ending);
    return { kind: "stopped" };
  }

  async #export(ending: Ending): Promise<Event> {
    const { term } = this.#state;
    const { stage, pictures } = this.#exports!;
    const asked = { stage: stage as Stage, pictures };
    const exported = await exportStage(withDataset(this.#context), asked, ending.soon);
    const { depot, runFolder } = this.#context;
    const models = (exported.models ?? []).map(({ folder }) => folder!);
    await depot?.exported(runFolder, models, ending.soon);
    this.#around.send({ term, exported });
    return { kind: "exported", term };
  }

  /** After the step in flight, or at once where no step is. */
  async #saveCheckpoint(): Promise<void> {
    const term = this.#state.term;
    if (this.#state.work.kind === "training") {
      if (this.#studentTerm) this.#studentTerm.isCheckpointWanted = true;
      return;
    }
    if (!this.#student || this.#ending) return;
    try {
      await this.#student.save(term, (checkpointed) => this.#tell({ checkpointed }));
      await this.#student.saved();
    } catch (thrown) {
      this.#around.fail(asLimbeckError(thrown));
    }
  }

  #forget(): void {
    this.#student = null;
    this.#studentTerm = null;
    this.#membership = null;
    this.#context.depot?.forget();
    this.#context.services.softTargets.stop();
    this.#context.services.peers.server.reset();
  }

  #reports(term: number): Reports {
    return new Reports(term, (message) => this.#around.send(message));
  }

  #tell(report: Report): void {
    this.#around.send({ term: this.#state.term, ...report });
  }

  /** L7. What it does and waits for between two pieces of work. */
  #describe(event: Event): void {
    const { status } = this.#context;
    const { work } = this.#state;
    status.step = this.#student?.replica.step ?? 0;
    switch (work.kind) {
      case "none":
        status.doing = event.kind === "paused" ? `paused: ${event.why}` : "waiting for work";
        status.waitingFor = nothing;
        return;
      case "ready":
        status.doing = this.#membership?.isTeacher && this.#teacher ? this.#teacher.doing : "waiting for the others";
        status.waitingFor = nothing;
        return;
      case "serving":
        status.doing = this.#teacher!.doing;
        status.waitingFor = nothing;
        return;
      case "stalled":
        status.doing = `waiting for the term after ${this.#state.term}`;
        status.waitingFor = () => `the next term: ${work.why}`;
        return;
      case "catching-up":
        status.doing = `catching up to step ${work.beginning.step}`;
        return;
      case "stopping":
      case "preparing":
      case "training":
      case "following":
      case "finished":
      case "exporting":
        return;
    }
  }
}

function troubleOf(thrown: unknown): Trouble {
  const { code, message } = asLimbeckError(thrown);
  return thrown instanceof PeerFailure ? { code, message, about: thrown.peer } : { code, message };
}
