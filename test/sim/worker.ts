/**
 * A worker process: performs what core/participant.ts decides, as worker/participation.ts does, with work that takes
 * virtual time and weights that are numbers.
 */
import type { WorkerMessage } from "../../coordinator/messages.ts";
import { asLimbeckError, LimbeckError } from "../../core/errors.ts";
import { sourceOfTeacher } from "../../core/jobteacher.ts";
import {
  type Beginning,
  isMember,
  newParticipant,
  type Participant,
  type ParticipantEffect,
  type ParticipantEvent,
  type Trouble,
} from "../../core/participant.ts";
import type { ToWorker } from "../../proto/gen/limbeck/v1/ToWorker.ts";
import { initialWeights, sha256Of } from "./arithmetic.ts";
import { catchUp, follow } from "./catchup.ts";
import type { Life, Timer } from "./clock.ts";
import { type Membership, understand } from "./membership.ts";
import { PeerFailure, Peers } from "./peers.ts";
import { Replica } from "./replica.ts";
import { Session } from "./session.ts";
import { SoftTargetServer } from "./softtargets.ts";
import { StudentTerm } from "./student.ts";
import { Ending, start, type Task, wait } from "./task.ts";
import { between, type World } from "./world.ts";

type Event = ParticipantEvent<Membership>;
export type Body = WorkerMessage extends infer M ? (M extends { term: number } ? Omit<M, "term"> : never) : never;

/** The coordinator may have lost these with the session, or with its own life: they are told again. */
const toldAgain: readonly string[] = ["evaluated", "stageDone", "exported", "checkpointed", "skipped", "suspect"];

export interface Identity {
  readonly name: string;
  readonly role: "student" | "teacher" | "auto";
  /** Times slower than others. */
  readonly slowness: () => number;
  exit(code: number, why: string): void;
}

export class WorkerProcess {
  readonly name: string;
  readonly life: Life;
  readonly peers: Peers;
  doing = "joining";
  waiting: () => string = () => "";
  readonly trained = new Map<string, number>();
  savedStep = -1;
  isSaving = false;
  readonly onSaved: (() => void)[] = [];
  state: Participant<Membership> = newParticipant;
  replica: Replica | null = null;
  readonly #world: World;
  readonly #identity: Identity;
  readonly #session: Session;
  readonly #softTargets: SoftTargetServer;
  #ending: Ending | null = null;
  #membership: Membership | null = null;
  #studentTerm: StudentTerm | null = null;
  #teacher: number | null = null;
  #follow: ToWorker["follow"] = null;
  #exports = "";
  #toldAgain: { term: number; body: Body }[] = [];
  #isLeaving = "";

  constructor(world: World, life: Life, identity: Identity) {
    this.name = identity.name;
    this.life = life;
    this.#world = world;
    this.#identity = identity;
    this.peers = new Peers(world, this.name, life);
    this.peers.onCorrupted = (from, what) =>
      this.tell(this.state.term, { kind: "corrupted", from, what, why: "damaged" });
    this.#softTargets = new SoftTargetServer(world, this.name, life);
    this.#session = new Session(world, this, identity.role);
  }

  get nowMs(): number {
    return this.#world.clock.nowMs;
  }

  /** Waits for soft targets that no teacher is there to serve. */
  get needsTeacher(): boolean {
    return this.#studentTerm?.needsTeacher ?? false;
  }

  get serving() {
    return this.#softTargets.serving;
  }

  get slowness(): number {
    return this.#identity.slowness();
  }

  get isHeard(): boolean {
    return this.#session.isHeard;
  }

  get holds(): string[] {
    return [...this.trained.keys()];
  }

  /** L7. Never empty. */
  get reason(): string {
    return this.waiting() || this.doing;
  }

  sleep(ms: number): Task<void> {
    return wait(({ ok }) => {
      const timer: Timer = this.#world.clock.after(ms, this.life, () => ok(undefined));
      return () => timer.cancel();
    });
  }

  tell(term: number, body: Body): void {
    const isLasting = toldAgain.includes(body.kind) && (body.kind !== "evaluated" || body.last);
    if (isLasting) {
      this.#toldAgain = this.#toldAgain.filter((each) => each.term === term);
      this.#toldAgain.push({ term, body });
    }
    this.#session.send({ term, ...body } as WorkerMessage);
  }

  tellAgain(): void {
    for (const { term, body } of this.#toldAgain) {
      if (term === this.state.term) this.#session.send({ term, ...body } as WorkerMessage);
    }
    if (this.#isLeaving) this.#session.send({ term: this.state.term, kind: "leaving", why: this.#isLeaving });
  }

  /** SIGTERM. */
  leave(why: string): void {
    this.#isLeaving = why;
    this.tell(this.state.term, { kind: "leaving", why });
    this.#world.clock.after(5_000, this.life, () => this.#identity.exit(0, "it has waited 5 s to be let go"));
  }

  exit(code: number, why: string): void {
    this.#identity.exit(code, why);
  }

  hear(message: ToWorker): void {
    const term = Number(message.term);
    switch (message.body) {
      case "assign": {
        const { oracle } = this.#world;
        const reader = { name: this.name, indexOf: (stage: string) => oracle.indexOf(stage) };
        const assigned = understand(term, message.assign!, reader);
        this.#on({ kind: "assigned", assigned });
        if (this.#isLeaving && !assigned.member) this.exit(0, "it is let go");
        return;
      }
      case "begin": {
        if (this.#membership?.rank === null || !this.replica) return;
        const { step, sources, sumSources, evaluate, teacherEngine, uncacheable } = message.begin!;
        const beginning: Beginning = {
          term,
          step: Number(step),
          sources: sources!,
          sumSources: sumSources!,
          evaluate: evaluate!,
          teacherEngine: teacherEngine!,
          uncacheable: uncacheable!,
        };
        this.#on({ kind: "begun", beginning, step: this.replica.step });
        return;
      }
      case "teachers":
        if (term === this.state.term)
          this.#studentTerm?.teachersAre(
            message.teachers!.teachers!.map(({ worker, part }) => ({ worker: worker!, part: part! })),
          );
        return;
      case "follow":
        this.#follow = message.follow!;
        this.#on({ kind: "told-to-follow", term });
        return;
      case "pause":
        this.#on({ kind: "paused", term, why: message.pause!.why! });
        return;
      case "export":
        this.#exports = message.export!.stage!;
        this.#on({ kind: "told-to-export", term });
        return;
      case "checkpoint":
        if (term === this.state.term && this.#studentTerm) this.#studentTerm.isCheckpointWanted = true;
        return;
      case "stop":
        this.exit(0, `told to stop: ${message.stop!.why}`);
        return;
      case "welcome":
      case "idle":
      case undefined:
        return;
    }
  }

  fence(why: string): void {
    this.#on({ kind: "fenced", why });
  }

  /** Takes a copy; the disk takes its time. */
  save(replica: Replica, term: number): void {
    const { oracle, disk, scene, clock, random } = this.#world;
    const state = replica.state();
    const { stage } = oracle.stages[state.stage]!;
    this.savedStep = state.step;
    this.isSaving = true;
    clock.after(between(random, 5, 60), this.life, () => {
      disk.save(state, scene.job.checkpoint.keep);
      this.isSaving = false;
      this.tell(term, { kind: "checkpointed", stage, step: state.step, folder: `${stage}-${state.step}`, bytes: 1 });
      for (const resume of this.onSaved.splice(0)) resume();
    });
  }

  #on(event: Event): void {
    const before = this.state.work.kind;
    const [next, ...effects] = this.#world.code.participate(this.state, event);
    this.state = next;
    const { work, term } = next;
    if (work.kind !== before)
      this.#world.story.tell(this.name, () => `${before} -> ${work.kind} (${event.kind}), term ${term}`);
    for (const effect of effects) this.#perform(effect);
    this.#describe(event);
    this.#world.invariants.waits(this);
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
        this.#open(effect.assigned);
        return;
      case "catch-up":
        this.#start((ending) => this.#catchUp(effect, ending));
        return;
      case "train":
        this.#start((ending) => this.#train(effect.beginning, ending));
        return;
      case "follow":
        this.#start((ending) => this.#keepUp(ending));
        return;
      case "export":
        this.#start((ending) => this.#export(ending));
        return;
      case "suspect":
        this.tell(this.state.term, { kind: "suspect", worker: effect.worker, why: effect.why });
        return;
      case "fail":
        this.tell(this.state.term, { kind: "failed", ...effect.trouble });
        return;
      case "forget":
        this.replica = null;
        this.#studentTerm = null;
        this.#membership = null;
        this.savedStep = -1;
        this.#softTargets.stop();
        this.peers.publications.reset("it joins as new");
        return;
    }
  }

  #start(work: (ending: Ending) => Task<Event>): void {
    const ending = new Ending();
    const { term } = this.state;
    this.#ending = ending;
    const ended = (event: Event) => {
      if (!this.life.isAlive) return;
      if (this.#ending === ending) this.#ending = null;
      this.#on(ending.soon.reason ? { kind: "stopped" } : event);
    };
    // Never within the decision that asked for it.
    this.#world.clock.after(0, this.life, () =>
      start(work(ending), {
        ok: ended,
        fail: (thrown) => ended({ kind: "troubled", term, trouble: troubleOf(thrown) }),
      }),
    );
  }

  *#prepare(membership: Membership, ending: Ending): Task<Event> {
    const { term, rank, isTeacher, stage } = membership;
    const { oracle, random } = this.#world;
    this.#open(membership);
    this.#keepOnly(rank === null ? "teacher" : "student");
    let standing = { parameters: 0, weightsSha256: "", step: 0, hasSum: false };
    let told: { restoredFrom: string; skipped: string[] } = { restoredFrom: "", skipped: [] };
    if (isTeacher && oracle.stages[stage]!.soft) {
      const weights = yield* this.#getTaught(membership, ending);
      this.#softTargets.serve(term, weights);
      standing = { parameters: 1, weightsSha256: sha256Of(weights), step: 0, hasSum: false };
    }
    if (rank !== null) {
      told = yield* this.#layOut(membership);
      const { weights, step, sum } = this.replica!;
      standing = {
        parameters: 1,
        weightsSha256: oracle.digestOf(stage, weights),
        step,
        hasSum: sum?.step === step - 1,
      };
    }
    yield* this.sleep(between(random, 1, 10));
    ending.now.throwIfAborted();
    this.#on({ kind: "prepared", term });
    if (this.state.term === term)
      this.tell(term, { kind: "ready", ...standing, ...told, holds: this.holds, uncacheable: "" });
    return { kind: "prepared", term };
  }

  #open(membership: Membership): void {
    this.#membership = membership;
    this.#studentTerm = null;
    this.#softTargets.stop();
    this.peers.publications.openTerm(membership.term);
    const teacher = this.trained.get("teach");
    if (teacher === undefined) return;
    const what = { term: membership.term, kind: "teacher", step: 0, slice: 0 } as const;
    this.peers.publications.publish({ ...what, vectors: [[teacher]], isTainted: false });
  }

  /** As worker/participation.ts. */
  #keepOnly(role: "student" | "teacher"): void {
    if (role === "teacher") this.replica = null;
    else this.#teacher = null;
  }

  *#layOut({ stage, restore, restoreBelow, ...rest }: Membership) {
    const { disk, random } = this.#world;
    const goesBack = restore && restoreBelow > 0;
    const isNew = this.replica?.stage !== stage || goesBack;
    let told: { restoredFrom: string; skipped: string[] } = { restoredFrom: "", skipped: [] };
    if (isNew) yield* this.#build(stage);
    if (isNew && restore) {
      yield* this.sleep(between(random, 5, 30));
      if (goesBack) disk.distrust(stage, restoreBelow);
      const { found, skipped } = disk.newest(stage, restoreBelow);
      if (found) this.replica!.take(found);
      told = { restoredFrom: found ? `${stage}-${found.step}` : "", skipped };
    }
    const replica = this.replica!;
    this.#world.invariants.updated(this.name, replica);
    const membership = { ...rest, stage, restore, restoreBelow };
    this.#studentTerm = new StudentTerm(this.#world, this, membership, replica);
    return told;
  }

  *#build(stage: number): Task<void> {
    if (this.isSaving) yield* wait<void>(({ ok }) => void this.onSaved.push(() => ok(undefined)));
    this.replica = null;
    yield* this.sleep(between(this.#world.random, 10, 60));
    const { job } = this.#world.scene;
    const { oracle, code } = this.#world;
    this.savedStep = -1;
    this.replica = new Replica(stage, initialWeights(job.seed, stage), oracle.ledger, code.consume);
  }

  /** The teacher: its own, those of whoever gives them first, or those of the last checkpoint of `teach`. */
  *#getTaught(
    {
      term,
      part,
      teacherSha256,
      teacherSources,
    }: Pick<Membership, "term" | "part" | "teacherSha256" | "teacherSources">,
    ending: Ending,
  ): Task<number> {
    const { oracle, disk, scene } = this.#world;
    const fits = (weights: number | null | undefined): weights is number =>
      weights !== null && weights !== undefined && sha256Of(weights) === teacherSha256;
    if (sourceOfTeacher(scene.job.teacher) !== null) {
      const given = oracle.partOf(oracle.teacher, part);
      // A member of an ensemble has a digest of its own, which the coordinator compares; another has to be loaded.
      if (oracle.parts > 1 && this.#teacher !== given) yield* this.sleep(20);
      this.#teacher = given;
      if (oracle.parts > 1) return given;
    }
    if (fits(this.#teacher)) return this.#teacher;
    yield* this.sleep(20);
    let found: number | null = this.trained.get("teach") ?? null;
    let failure: unknown = new LimbeckError("lost_worker", "nobody has the teacher's weights");
    for (const source of teacherSources.filter((each) => each !== this.name)) {
      if (fits(found)) break;
      this.waiting = () => `the teacher's weights from ${source}`;
      try {
        const how = { deadlineMs: scene.transferMs, signal: ending.soon };
        const { vectors } = yield* this.peers.pull(source, { term, kind: "teacher", step: 0, slice: 0 }, how);
        found = vectors![0]![0]!;
      } catch (thrown) {
        // A source need be no member: that its term is over says nothing about this one.
        if (ending.soon.reason) throw thrown;
        failure = thrown;
      } finally {
        this.waiting = () => "";
      }
    }
    if (!fits(found)) found = disk.newest(0, 0).found?.weights ?? null;
    if (!fits(found)) throw failure;
    this.#teacher = found;
    this.trained.set("teach", found);
    return found;
  }

  *#catchUp({ how, beginning }: ParticipantEffect<Membership> & { kind: "catch-up" }, ending: Ending): Task<Event> {
    yield* catchUp(how, beginning, { world: this.#world, worker: this, replica: this.replica!, ending });
    return { kind: "caught-up", term: beginning.term };
  }

  *#train(beginning: Beginning, ending: Ending): Task<Event> {
    yield* this.#studentTerm!.run(beginning, ending);
    return { kind: "finished", term: beginning.term };
  }

  *#keepUp(ending: Ending): Task<Event> {
    const { term } = this.state;
    const { stage, source, teacherSha256, teacherSources, part } = this.#follow!;
    const at = this.#world.oracle.indexOf(stage!);
    this.peers.publications.openTerm(term);
    this.doing = "following";
    const caughtUp = (step: number) =>
      this.tell(term, { kind: "caughtUp", stage: stage! as "teach", step, holds: this.holds, uncacheable: "" });
    this.#keepOnly(source ? "student" : "teacher");
    if (!source) {
      const sources = teacherSources!.map(({ worker }) => worker!);
      const wanted = { term, part: part!, teacherSha256: teacherSha256!, teacherSources: sources };
      this.#softTargets.serve(term, yield* this.#getTaught(wanted, ending));
      ending.soon.throwIfAborted();
      this.#on({ kind: "serves", term });
      caughtUp(0);
      return { kind: "serves", term };
    }
    if (this.replica?.stage !== at) yield* this.#build(at);
    const following = { world: this.#world, worker: this, replica: this.replica!, term, source: source.worker! };
    yield* follow({ ...following, caughtUp }, ending);
    return { kind: "stopped" };
  }

  *#export(ending: Ending): Task<Event> {
    const { term } = this.state;
    const stage = this.#exports as "teach";
    this.doing = `writing the models of ${stage}`;
    yield* this.sleep(between(this.#world.random, 20, 200));
    ending.soon.throwIfAborted();
    this.#world.invariants.exported(this.name, stage, this.trained.get(stage));
    const score = { examples: 1, errors: 0, accuracy: 1, crossEntropy: 1 };
    const models = [{ folder: stage, format: "float32", bytes: 1, score, latencies: [] }];
    this.tell(term, { kind: "exported", stage, models, latencies: [], pictures: [] });
    return { kind: "exported", term };
  }

  #describe(event: Event): void {
    const { work, term } = this.state;
    if (work.kind === "none") this.doing = event.kind === "paused" ? `paused: ${event.why}` : "waiting for work";
    if (work.kind === "ready")
      this.doing = this.#membership?.isTeacher ? "serving soft targets" : "waiting for the others";
    if (work.kind === "serving") this.doing = "serving soft targets";
    if (work.kind === "stalled") this.doing = `waiting for the term after ${term}: ${work.why}`;
    if (work.kind === "preparing") this.doing = `preparing term ${term}`;
    if (work.kind === "stopping") this.doing = "ending the term before";
    if (work.kind === "catching-up") this.doing = `catching up to step ${work.beginning.step}`;
  }

  get isMember(): boolean {
    return isMember(this.state);
  }
}

function troubleOf(thrown: unknown): Trouble {
  const { code, message } = asLimbeckError(thrown);
  return thrown instanceof PeerFailure ? { code, message, about: thrown.peer } : { code, message };
}
