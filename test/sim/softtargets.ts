/** Soft targets: keys go to teachers, values come back with the key they were made for (L6). */
import { LimbeckError } from "../../core/errors.ts";
import { mixed, softTargetsOf } from "./arithmetic.ts";
import type { Life } from "./clock.ts";
import type { PartTeacher } from "./membership.ts";
import type { End } from "./network.ts";
import { type Settle, type Signal, type Task, until, wait } from "./task.ts";
import { between, type World } from "./world.ts";

interface Request {
  readonly id: number;
  readonly term: number;
  readonly step: number;
  readonly lane: number;
  readonly view: number;
}
interface Reply extends Request {
  readonly value?: number;
  readonly error?: LimbeckError;
}

/** A worker's side that serves. */
export class SoftTargetServer {
  #term = 0;
  #teacher: number | null = null;
  /** When it has answered all it was asked. */
  #freeMs = 0;
  /** Since the process began. */
  readonly serving = { servedExamples: 0, servingSeconds: 0, queuedExamples: 0 };

  constructor(world: World, name: string, life: Life) {
    world.network.listen(`${name}/teacher`, life, (end) => ({
      data: (message) => {
        const request = message as Request;
        const stale = () => {
          const error = new LimbeckError("stale_term", `${name} serves no soft targets of term ${request.term}`);
          end.send({ ...request, error } satisfies Reply);
        };
        const isServed = () => world.code.isOfTerm(request.term, this.#term) === "current" && this.#teacher !== null;
        if (!isServed()) return stale();
        const ms = world.scene.servingMs * between(world.random, 0.5, 1.5);
        this.#freeMs = Math.max(this.#freeMs, world.clock.nowMs) + ms;
        world.clock.after(this.#freeMs - world.clock.nowMs, life, () => {
          if (!isServed()) return stale();
          const ids = world.oracle.idsOf(request.step)[request.lane]!;
          this.serving.servedExamples += ids.length;
          this.serving.servingSeconds += ms / 1000;
          const value = softTargetsOf(this.#teacher!, request.view, ids);
          end.send({ ...request, term: this.#term, value } satisfies Reply);
        });
      },
      broken: () => {},
    }));
  }

  serve(term: number, teacher: number): void {
    this.#term = term;
    this.#teacher = teacher;
  }

  stop(): void {
    this.#teacher = null;
  }
}

interface Teacher {
  readonly name: string;
  readonly part: number;
  readonly end: End;
  readonly asked: Map<number, Settle<Reply>>;
}

/** A student's side, for one term. */
export class SoftTargetClient {
  readonly #world: World;
  readonly #term: number;
  readonly #life: Life;
  readonly #onLost: (teacher: string, why: string) => void;
  readonly #teachers = new Map<string, Teacher>();
  readonly #owner: { readonly name: string; readonly life: Life };
  #arrivals: (() => void)[] = [];
  #requests = 0;
  /** Examples since it was last asked. */
  #asked = 0;
  #stranded = 0;
  waitingFor = "";

  constructor(
    world: World,
    owner: { readonly name: string; readonly life: Life },
    {
      term,
      teachers,
      onLost,
    }: { term: number; teachers: readonly PartTeacher[]; onLost(teacher: string, why: string): void },
  ) {
    this.#world = world;
    this.#owner = owner;
    this.#life = owner.life;
    this.#term = term;
    this.#onLost = onLost;
    this.teachersAre(teachers);
  }

  /** Whom to ask from now on. */
  teachersAre(teachers: readonly PartTeacher[]): void {
    for (const [name, { end, asked }] of [...this.#teachers]) {
      if (teachers.some(({ worker }) => worker === name)) continue;
      this.#teachers.delete(name);
      end.close();
      const owed = [...asked.values()];
      asked.clear(); // What it answers now nobody waits for.
      for (const settle of owed) settle.fail(new LimbeckError("lost_worker", `${name} has gone`));
    }
    for (const teacher of teachers) if (!this.#teachers.has(teacher.worker)) this.#connect(teacher);
    for (const arrival of this.#arrivals.splice(0)) arrival();
  }

  #connect({ worker: teacher, part }: PartTeacher): void {
    const asked = new Map<number, Settle<Reply>>();
    const end = this.#world.network.connect(this.#owner, `${teacher}/teacher`, {
      data: (message) => {
        const reply = message as Reply;
        const settle = asked.get(reply.id);
        asked.delete(reply.id);
        settle?.ok(reply);
      },
      broken: (error) => this.#lose(teacher, error),
    });
    this.#teachers.set(teacher, { name: teacher, part, end, asked });
  }

  /** Throws stale_term, or the signal's reason: with no teacher left it waits for one, or for the signal. */
  *request(step: number, lane: number, view: number, signal: Signal): Task<number> {
    const { scene, oracle } = this.#world;
    if (scene.isCached(step)) return oracle.softTargets(view, oracle.idsOf(step)[lane]!);
    const values: number[] = [];
    for (let part = 0; part < oracle.parts; part++)
      values.push(yield* this.#ofPart(part, { step, lane, view }, signal));
    return mixed(values);
  }

  *#ofPart(part: number, key: Pick<Request, "step" | "lane" | "view">, signal: Signal): Task<number> {
    const { oracle, invariants } = this.#world;
    const { step, lane } = key;
    const ids = oracle.idsOf(step)[lane]!;
    for (;;) {
      const able = [...this.#teachers.values()].filter((each) => each.part === part);
      const teacher = able.sort((a, b) => a.asked.size - b.asked.size)[0];
      if (!teacher) {
        this.waitingFor = `a teacher: none is left in term ${this.#term}`;
        this.#stranded += 1;
        yield* wait(until<void>(signal, ({ ok }) => void this.#arrivals.push(() => ok(undefined))));
        this.#stranded -= 1;
        continue;
      }
      this.waitingFor = `soft targets of step ${step} from ${teacher.name}`;
      const request = { id: ++this.#requests, term: this.#term, ...key };
      const reply = yield* wait(until<Reply | null>(signal, (settle) => this.#ask(teacher, request, settle)));
      this.waitingFor = "";
      if (!reply) continue;
      if (reply.error) {
        // As worker/softtargets/client.ts: the term is over, which ends this, or the teacher has left it.
        teacher.end.close();
        this.#lose(teacher.name, reply.error);
        continue;
      }
      invariants.usedSoftTargets(reply, request);
      this.#asked += ids.length;
      return reply.value!;
    }
  }

  get isStranded(): boolean {
    return this.#stranded > 0;
  }

  takeAsked(): number {
    const asked = this.#asked;
    this.#asked = 0;
    return asked;
  }

  close(): void {
    for (const { end } of this.#teachers.values()) end.close();
    this.#teachers.clear();
  }

  #ask(teacher: Teacher, request: Request, { ok }: Settle<Reply | null>): () => void {
    const error = new LimbeckError("timeout", `${teacher.name} did not answer for soft targets`);
    const late = this.#world.clock.after(this.#world.scene.softTargetsMs, this.#life, () => {
      teacher.end.close();
      this.#lose(teacher.name, error);
    });
    const settle = (reply: Reply | null) => {
      late.cancel();
      ok(reply);
    };
    teacher.asked.set(request.id, { ok: settle, fail: () => settle(null) });
    teacher.end.send(request);
    return () => {
      late.cancel();
      teacher.asked.delete(request.id);
    };
  }

  /** It is asked no more; what it was asked, another is. */
  #lose(name: string, why: LimbeckError): void {
    const teacher = this.#teachers.get(name);
    if (!teacher) return;
    this.#teachers.delete(name);
    this.#onLost(name, why.message);
    for (const settle of [...teacher.asked.values()]) settle.fail(why);
  }
}
