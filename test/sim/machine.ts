/** A machine with a worker on it, and what starts the worker again when it has died. */
import { Life } from "./clock.ts";
import { WorkerProcess } from "./worker.ts";
import type { World } from "./world.ts";

/** As `limbeck run`, or a cluster's scheduler. */
const restartMs = 300;

export class Machine {
  readonly name: string;
  /** What it was started for; one that comes as auto may be given the other. */
  readonly role: "student" | "teacher";
  worker: WorkerProcess | null = null;
  /** Times slower than others. */
  slowness = 1;
  /** False once it is meant to stay away. */
  isWanted = true;
  readonly #world: World;
  readonly #isAuto: boolean;
  #lives = 0;

  constructor(world: World, name: string, role: "student" | "teacher") {
    this.#world = world;
    this.name = name;
    this.role = role;
    const { autos } = world.scene;
    this.#isAuto = autos === "all" || (autos === "some" && world.random() < 0.5);
  }

  get life(): Life | null {
    return this.worker?.life ?? null;
  }

  start(): void {
    if (this.worker) return;
    const life = new Life(`${this.name}#${++this.#lives}`);
    this.#world.story.tell(this.name, () => `starts as ${life.name}`);
    this.worker = new WorkerProcess(this.#world, life, {
      name: this.name,
      role: this.#isAuto ? "auto" : this.role,
      slowness: () => this.slowness,
      exit: (code, why) => this.#exited(life, code, why),
    });
  }

  /** kill -9; `silently`: the whole machine is gone, and nobody is told. */
  kill(how: { silently: boolean }): void {
    const life = this.life;
    if (!life) return;
    this.worker = null;
    life.isAlive = false;
    this.#world.network.died(life, how);
  }

  #exited(life: Life, code: number, why: string): void {
    if (!life.isAlive) return;
    this.#world.story.tell(this.name, () => `exits with ${code}: ${why}`);
    this.kill({ silently: false });
    if (code !== 0) this.#world.clock.after(restartMs, null, () => this.isWanted && this.start());
  }
}
