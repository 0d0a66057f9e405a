/** The workers of a service, each a process that can be killed and started again, and what their logs say. */
import { setTimeout as sleep } from "node:timers/promises";
import { againCode, type Child, endChildren, startChild } from "../../../cli/children.ts";
import type { Watch } from "../watch.ts";
import type { Coordinator } from "./coordinators.ts";

export interface Worker {
  readonly name: string;
  readonly role: "student" | "teacher";
  /** Those that it is told of, in this order; none: it asks NATS. */
  knows: readonly Coordinator[];
  /** null while it is dead. */
  child: Child | null;
  lives: number;
}

/** A line of a worker's log. */
export interface WorkerLine {
  /** One life of one worker. */
  readonly worker: string;
  readonly atMs: number;
  readonly event: string;
  readonly term: number;
  readonly fence: number | undefined;
  readonly why: string;
}

export interface WorkersSettings {
  readonly students: number;
  readonly teachers: number;
  readonly coordinators: readonly Coordinator[];
  readonly natsUrls: readonly string[];
}

const restartMs = 300;

export class Workers {
  readonly all: readonly Worker[];
  readonly lines: WorkerLine[] = [];
  readonly #watch: Watch;
  readonly #natsUrls: readonly string[];
  /** Of each life of each worker. */
  readonly #pids = new Map<string, number>();

  /** Every second one of a role is told of the coordinators. */
  constructor(watch: Watch, { students, teachers, coordinators, natsUrls }: WorkersSettings) {
    this.#watch = watch;
    this.#natsUrls = natsUrls;
    const named = (role: Worker["role"], count: number): Worker[] =>
      Array.from({ length: count }, (_, at) => ({
        ...{ name: `${role}-${at + 1}`, role, knows: at % 2 === 0 ? coordinators : [], child: null, lives: 0 },
      }));
    this.all = [...named("student", students), ...named("teacher", teachers)];
  }

  /** And again whenever it ends by itself. */
  start(worker: Worker): void {
    const watch = this.#watch;
    if (watch.isOver || worker.child) return;
    const { name, role, knows } = worker;
    const life = `${name}/${++worker.lives}`;
    const where =
      knows.length === 0 ? ["--nats", this.#natsUrls.join()] : ["--coordinator", knows.map(({ rpc }) => rpc).join()];
    const args = ["worker", "--role", role, "--name", name, ...where, "-o", "json"];
    let rest = "";
    const hearLog = (text: string) => {
      const lines = (rest + text).split("\n");
      rest = lines.pop()!;
      for (const line of lines) this.#hear(life, line);
    };
    const child = startChild(name, args, { hear: (text) => watch.note(life, text), hearLog });
    worker.child = child;
    this.#pids.set(life, child.process.pid!);
    void child.ended.then(async ({ exitCode, how }) => {
      if (worker.child === child) worker.child = null;
      watch.note(life, `(${how})`);
      if (watch.isExpected(child)) return;
      if (exitCode !== againCode) {
        watch.surprises.push(`${life} ${how}`);
        await sleep(restartMs);
      }
      this.start(worker);
    });
  }

  /** SIGKILL; resolves when it is gone. */
  async kill(worker: Worker): Promise<void> {
    const { child } = worker;
    if (!child) return;
    this.#watch.expect(child);
    child.process.kill("SIGKILL");
    await child.ended;
    worker.child = null;
  }

  /** Of the lives that were these processes: each works for one job. */
  linesOf(pids: ReadonlySet<number>): WorkerLine[] {
    return this.lines.filter(({ worker }) => pids.has(this.#pids.get(worker)!));
  }

  async close(): Promise<void> {
    const children = this.all.flatMap(({ child }) => child ?? []);
    await endChildren(children, 5_000);
  }

  #hear(life: string, line: string): void {
    this.#watch.note(life, line);
    if (!line.startsWith("{")) return;
    const { time, event = "", term = 0, fence, why = "" } = JSON.parse(line);
    this.lines.push({ worker: life, atMs: Date.parse(time), event, term, fence, why });
  }
}
