/** How a replica gets to where the others are: worker/catchup.ts when a term begins, worker/following.ts while others train. */

import { LimbeckError } from "../../core/errors.ts";
import type { Beginning, CatchUp } from "../../core/participant.ts";
import { PeerFailure } from "./peers.ts";
import type { Replica } from "./replica.ts";
import { type Ending, type Task, until, wait } from "./task.ts";
import type { WorkerProcess } from "./worker.ts";
import type { World } from "./world.ts";

interface CatchingUp {
  readonly world: World;
  readonly worker: WorkerProcess;
  readonly replica: Replica;
  readonly ending: Ending;
}

export function* catchUp(how: CatchUp, beginning: Beginning, catching: CatchingUp): Task<void> {
  try {
    yield* fromEach(how.from, how.kind, beginning, catching);
  } catch (thrown) {
    if (how.kind === "state" || !(thrown instanceof PeerFailure)) throw thrown;
    yield* fromEach(beginning.sources, "state", beginning, catching);
  }
}

function* fromEach(
  sources: readonly string[],
  kind: "sum" | "state",
  { term, step }: Beginning,
  { world, worker, replica, ending }: CatchingUp,
): Task<void> {
  let failure: unknown = new LimbeckError("lost_worker", `no member of term ${term} has the replica of step ${step}`);
  const how = { deadlineMs: world.scene.transferMs, signal: ending.now };
  for (const source of sources) {
    worker.waiting = () => `the ${kind} for step ${step} from ${source}`;
    try {
      const wanted = { term, kind, step: kind === "sum" ? step - 1 : step, slice: 0 } as const;
      const { vectors, ids, state, isTainted } = yield* worker.peers.pull(source, wanted, how);
      if (kind === "state") replica.take(state!);
      else world.code.takeSum(replica, [...vectors![0]!], ids!, isTainted);
      world.invariants.updated(worker.name, replica);
      world.story.tell(worker.name, () => `caught up to step ${step} by the ${kind} of ${source}`);
      return;
    } catch (thrown) {
      if (!(thrown instanceof PeerFailure)) throw thrown;
      failure = thrown;
    } finally {
      worker.waiting = () => "";
    }
  }
  throw failure;
}

export interface Following {
  readonly world: World;
  readonly worker: WorkerProcess;
  readonly replica: Replica;
  readonly term: number;
  readonly source: string;
  caughtUp(step: number): void;
}

const attempts = 3;

export function* follow(following: Following, ending: Ending): Task<void> {
  const { worker, replica, term, source, world } = following;
  let isCaughtUp = false;
  const caughtUp = () => {
    if (!isCaughtUp) following.caughtUp(replica.step);
    isCaughtUp = true;
  };
  const how = { deadlineMs: world.scene.transferMs, signal: ending.soon };
  worker.waiting = () => `step ${replica.step} of ${source}`;
  try {
    for (let attempt = 1; attempt <= attempts; attempt++) {
      try {
        const snapshot = yield* worker.peers.pull(source, { term, kind: "snapshot", step: 0, slice: 0 }, how);
        replica.take(snapshot.state!);
        world.invariants.updated(worker.name, replica);
        for (;;) {
          const wanted = { term, kind: "delta", step: replica.step, slice: 0 } as const;
          const { vectors, ids, isTainted, newestStep } = yield* worker.peers.pull(source, wanted, how);
          replica.update([...vectors![0]!], ids!, { isTainted, isRedone: false });
          world.invariants.updated(worker.name, replica);
          if (replica.step >= newestStep!) caughtUp();
        }
      } catch (thrown) {
        if (!(thrown instanceof PeerFailure)) throw thrown;
      }
    }
    caughtUp();
    yield* wait(until<never>(ending.soon, () => {}));
  } finally {
    worker.waiting = () => "";
  }
}
