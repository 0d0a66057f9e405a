/** A teacher worker's weights, as worker/teacher.ts: kept from term to term for as long as they are those asked for. */
import { LimbeckError } from "../../core/errors.ts";
import { sourceOfTeacher } from "../../core/jobteacher.ts";
import { sha256Of } from "./arithmetic.ts";
import type { Membership } from "./membership.ts";
import type { Ending, Task } from "./task.ts";
import type { WorkerProcess } from "./worker.ts";
import type { World } from "./world.ts";

export type WantedTeacher = Pick<Membership, "term" | "part" | "teacherSha256" | "teacherSources">;

const loadingMs = 20;

export class Teacher {
  readonly #world: World;
  readonly #worker: WorkerProcess;
  #weights: number | null = null;

  constructor(world: World, worker: WorkerProcess) {
    this.#world = world;
    this.#worker = worker;
  }

  drop(): void {
    this.#weights = null;
  }

  /** Its own, those of whoever gives them first, or those of the last checkpoint of `teach`. */
  *weights({ term, part, teacherSha256, teacherSources }: WantedTeacher, ending: Ending): Task<number> {
    const { oracle, disk, scene } = this.#world;
    const worker = this.#worker;
    const fits = (weights: number | null | undefined): weights is number =>
      weights !== null && weights !== undefined && sha256Of(weights) === teacherSha256;
    if (sourceOfTeacher(scene.job.teacher) !== null) {
      const given = oracle.partOf(oracle.teacher, part);
      // A member of an ensemble has a digest of its own, which the coordinator compares; another has to be loaded.
      if (oracle.parts > 1 && this.#weights !== given) yield* worker.sleep(loadingMs);
      this.#weights = given;
      if (oracle.parts > 1) return given;
    }
    if (fits(this.#weights)) return this.#weights;
    yield* worker.sleep(loadingMs);
    let found: number | null = worker.trained.get("teach") ?? null;
    let failure: unknown = new LimbeckError("lost_worker", "nobody has the teacher's weights");
    for (const source of teacherSources.filter((each) => each !== worker.name)) {
      if (fits(found)) break;
      worker.waiting = () => `the teacher's weights from ${source}`;
      try {
        const how = { deadlineMs: scene.transferMs, signal: ending.soon };
        const { vectors } = yield* worker.peers.pull(source, { term, kind: "teacher", step: 0, slice: 0 }, how);
        found = vectors![0]![0]!;
      } catch (thrown) {
        // A source need be no member: that its term is over says nothing about this one.
        if (ending.soon.reason) throw thrown;
        failure = thrown;
      } finally {
        worker.waiting = () => "";
      }
    }
    if (!fits(found)) found = disk.newest(0, 0).found?.weights ?? null;
    if (!fits(found)) throw failure;
    this.#weights = found;
    worker.trained.set("teach", found);
    return found;
  }
}
