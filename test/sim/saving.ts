/** A worker's checkpoints on their way to the disk, which takes its time. */
import type { Replica } from "./replica.ts";
import { type Task, wait } from "./task.ts";
import type { WorkerProcess } from "./worker.ts";
import { between, type World } from "./world.ts";

export class Saving {
  /** The step of the replica as it was last saved, or is being saved; -1 where it was not. */
  savedStep = -1;
  readonly #world: World;
  readonly #worker: WorkerProcess;
  #isSaving = false;
  readonly #waiting: (() => void)[] = [];

  constructor(world: World, worker: WorkerProcess) {
    this.#world = world;
    this.#worker = worker;
  }

  /** Takes a copy. */
  save(replica: Replica, term: number): void {
    const { oracle, disk, scene, clock, random } = this.#world;
    const { life } = this.#worker;
    const state = replica.state();
    const { stage } = oracle.stages[state.stage]!;
    this.savedStep = state.step;
    this.#isSaving = true;
    clock.after(between(random, 5, 60), life, () => {
      disk.save(state, scene.job.checkpoint.keep);
      this.#isSaving = false;
      const folder = `${stage}-${state.step}`;
      this.#worker.tell(term, { kind: "checkpointed", stage, step: state.step, folder, bytes: 1 });
      for (const resume of this.#waiting.splice(0)) resume();
    });
  }

  /** What is being saved is saved. */
  *saved(): Task<void> {
    if (this.#isSaving) yield* wait<void>(({ ok }) => void this.#waiting.push(() => ok(undefined)));
  }

  /** It has another replica. */
  forget(): void {
    this.savedStep = -1;
  }
}
