/** The work of a worker in its terms, a piece at a time, as core/participant.ts asks for it: each ends with what became of it. */
import type { Beginning, CatchUp, ParticipantEvent } from "../core/participant.ts";
import type { Stage } from "../core/stages.ts";
import type { Export__Output } from "../proto/gen/limbeck/v1/Export.ts";
import type { Follow__Output } from "../proto/gen/limbeck/v1/Follow.ts";
import type { FromWorker } from "../proto/gen/limbeck/v1/FromWorker.ts";
import { bytesOf } from "./bytes.ts";
import { catchUp } from "./catchup.ts";
import { type WorkerContext, withDataset } from "./context.ts";
import type { Dataset } from "./data/dataset.ts";
import type { Ending } from "./ending.ts";
import { exportStage } from "./export.ts";
import { follow } from "./following.ts";
import { factsIn, type Membership, planOf } from "./membership.ts";
import { type Report, Reports } from "./reports.ts";
import { type Listeners, Roles } from "./roles.ts";

type Event = ParticipantEvent<Membership>;

/** The control, as its work sees it. */
export interface Control {
  /** The newest term heard of. */
  term(): number;
  /** Part of a piece of work is done, and the coordinator is about to be told. */
  on(event: Event): void;
  /** To the coordinator, now or when there is one again. */
  send(message: FromWorker): void;
  isHeard(): boolean;
}

export class TermWork {
  readonly #context: WorkerContext<Dataset | null>;
  readonly #control: Control;
  readonly #roles: Roles;
  /** Of the newest term with a place for it, or in which it stands by. */
  #membership: Membership | null = null;

  constructor(context: WorkerContext<Dataset | null>, control: Control) {
    this.#context = context;
    this.#control = control;
    this.#roles = new Roles(context);
    if (context.depot) context.depot.onWarning = (why) => this.tell({ warned: { why } });
    context.services.peers.client.onCorrupted = (from, kind, why) => this.tell({ corrupted: { from, kind, why } });
  }

  /** Updates that its replica has applied; null where it has none. */
  get step(): number | null {
    return this.#roles.student?.replica.step ?? null;
  }

  /** The same, where the term's beginning is one for it: a teacher serves from when it is ready. */
  get beginsAt(): number | null {
    return this.#membership?.rank === null ? null : this.step;
  }

  /** What its teacher does, in words; null where it has none. */
  get teaching(): string | null {
    return this.#roles.teacher?.doing ?? null;
  }

  /** Stages whose trained weights it has. */
  get holds(): Stage[] {
    return [...this.#context.trained.keys()];
  }

  /** Under the newest term (L3). */
  tell(report: Report): void {
    this.#control.send({ term: this.#control.term(), ...report });
  }

  async prepare(membership: Membership, ending: Ending): Promise<Event> {
    const { term, rank, isTeacher, plan } = membership;
    this.open(membership);
    await this.#roles.keepOnly(rank !== null ? "student" : "teacher");
    let standing: Report["ready"] = { parameters: 0, weightsSha256: "", step: 0 };
    if (isTeacher && plan.soft) {
      const { parameters, sha256, uncacheable } = await this.#roles.serve(membership, ending.soon);
      standing = { parameters, weightsSha256: sha256, step: 0, uncacheable };
    }
    if (rank !== null) standing = await this.#roles.layOut(membership, this.#listeners(term), ending.soon);
    ending.now.throwIfAborted();
    const ready = { ...standing, holds: this.holds };
    // First so that what Ready calls for finds the worker ready.
    this.#control.on({ kind: "prepared", term });
    if (this.#control.term() === term) this.#control.send({ term, ready });
    return { kind: "prepared", term };
  }

  /** L3. From now on only this term's payloads are given. Whoever stands by in it does no more. */
  open(membership: Membership): void {
    const { term, students, teachers, teacherSources } = membership;
    const { services, trained } = this.#context;
    this.#membership = membership;
    this.#roles.endTerm();
    services.softTargets.stop();
    services.peers.server.openTerm(term);
    services.peers.client.keepOnly([...students, ...teachers, ...teacherSources]);
    const teacher = trained.get("teach");
    if (!teacher || teacher.givenSha256 !== null) return;
    const { weights, sha256 } = teacher;
    services.peers.server.publish({ term, kind: "teacher", step: 0, slice: 0, payload: [bytesOf(weights)], sha256 });
  }

  async catchUp(how: CatchUp, beginning: Beginning, ending: Ending): Promise<Event> {
    const { students: members } = this.#membership!;
    const { replica } = this.#roles.student!;
    await catchUp(how, beginning, { context: withDataset(this.#context), replica, members, signal: ending.now });
    return { kind: "caught-up", term: beginning.term };
  }

  async train(beginning: Beginning, ending: Ending): Promise<Event> {
    await this.#roles.studentTerm!.run(beginning, ending);
    return { kind: "finished", term: beginning.term };
  }

  /** Other teachers serve in the term that runs. */
  teachersAre(teachers: Membership["teachers"]): void {
    this.#roles.studentTerm?.teachersAre(teachers);
  }

  /** Keeps up with the members of a term in which it has no place yet, or serves them. */
  async follow(term: number, order: Follow__Output, ending: Ending): Promise<Event> {
    const { job, dataset, services, status } = this.#context;
    const facts = factsIn(order, dataset);
    const plan = planOf(order, job, facts.trainExamples);
    services.peers.server.openTerm(term);
    await this.#roles.keepOnly(order.source ? "student" : "teacher");
    if (!order.source) {
      const { uncacheable } = await this.#roles.serve({ term, plan, ...order, dataset: facts }, ending.soon);
      ending.soon.throwIfAborted();
      // First so that what is asked finds it serving.
      this.#control.on({ kind: "serves", term });
      this.#control.send({ term, caughtUp: { stage: plan.stage, step: 0, holds: this.holds, uncacheable } });
      return { kind: "serves", term };
    }
    const { replica } = await this.#roles.studentOf(plan, ending.soon);
    status.doing = "following the students";
    const caughtUp = (step: number) => this.#control.send({ term, caughtUp: { stage: plan.stage, step } });
    await follow({ context: withDataset(this.#context), replica, term, source: order.source, caughtUp }, ending);
    return { kind: "stopped" };
  }

  async export(term: number, { stage, pictures }: Export__Output, ending: Ending): Promise<Event> {
    const asked = { stage: stage as Stage, pictures };
    const exported = await exportStage(withDataset(this.#context), asked, ending.soon);
    const { depot, runFolder } = this.#context;
    const models = (exported.models ?? []).map(({ folder }) => folder!);
    await depot?.exported(runFolder, models, ending.soon);
    this.#control.send({ term, exported });
    return { kind: "exported", term };
  }

  /** Of the replica, after the step that it is in. */
  saveAtBoundary(): void {
    if (this.#roles.studentTerm) this.#roles.studentTerm.isCheckpointWanted = true;
  }

  /** Of a replica that nothing works on; resolves when it is on disk. */
  async save(): Promise<void> {
    const { student } = this.#roles;
    if (!student) return;
    await student.save(this.#control.term(), (checkpointed) => this.tell({ checkpointed }));
    await student.saved();
  }

  /** Nothing that it had in its terms counts any more. */
  forget(): void {
    const { depot, services } = this.#context;
    this.#roles.forgetStudent();
    this.#membership = null;
    depot?.forget();
    services.softTargets.stop();
    services.peers.server.reset();
  }

  async close(): Promise<void> {
    await this.#roles.close();
  }

  #listeners(term: number): Listeners {
    return {
      reports: new Reports(term, (message) => this.#control.send(message)),
      isHeard: () => this.#control.isHeard(),
      saved: (checkpointed) => this.tell({ checkpointed }),
    };
  }
}
