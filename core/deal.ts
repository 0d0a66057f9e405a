/** The deal: which worker computes which lanes. */
import { LimbeckError } from "./errors.ts";
import type { DealtLanes } from "./events.ts";

export interface DealtWorker {
  readonly name: string;
  /** Seconds it takes for a lane, relative to the others; 1 where not given. */
  readonly laneSeconds?: number;
  /** No more than these, whatever its speed. */
  readonly atMost?: number;
}

/**
 * Deals all lanes in contiguous runs, in the order of the workers, so that the slowest of them is done as early as can
 * be (each lane goes to whoever would finish it first, ties to the earlier worker: optimal for equal lanes). One that
 * is so slow that the step is done sooner without it gets none, and is left out of the result.
 * @throws bad_job where there are more workers than lanes, or none
 */
export function deal(lanes: number, workers: readonly DealtWorker[]): DealtLanes[] {
  if (workers.length === 0) throw new LimbeckError("bad_job", `there is no student to deal ${lanes} lanes to`);
  if (workers.length > lanes) {
    throw new LimbeckError(
      "bad_job",
      `lanes.count: ${lanes} lanes cannot be dealt to ${workers.length} students: every student needs at least one`,
    );
  }
  const shares = sharesOf(lanes, workers);
  let firstLane = 0;
  return workers.flatMap(({ name }, at) => {
    const dealt = { worker: name, firstLane, lanes: shares[at]! };
    firstLane += dealt.lanes;
    return dealt.lanes > 0 ? [dealt] : [];
  });
}

/** How many lanes each gets. */
function sharesOf(lanes: number, workers: readonly DealtWorker[]): number[] {
  const shares = workers.map(() => 0);
  const finish = (at: number) => (shares[at]! + 1) * (workers[at]!.laneSeconds ?? 1);
  const isSooner = (one: number, other: number) =>
    finish(one) < finish(other) || (finish(one) === finish(other) && one < other);
  // Whoever would finish first is on top: with a thousand workers it is not looked for among all of them for every lane.
  const open: number[] = [];
  const settle = (top: number) => {
    for (let at = top; ; ) {
      const [left, right] = [2 * at + 1, 2 * at + 2];
      let soonest = at;
      if (left < open.length && isSooner(open[left]!, open[soonest]!)) soonest = left;
      if (right < open.length && isSooner(open[right]!, open[soonest]!)) soonest = right;
      if (soonest === at) return;
      [open[at], open[soonest]] = [open[soonest]!, open[at]!];
      at = soonest;
    }
  };
  for (const at of workers.keys()) if ((workers[at]!.atMost ?? lanes) > 0) open.push(at);
  for (let at = (open.length >> 1) - 1; at >= 0; at--) settle(at);
  for (let lane = 0; lane < lanes; lane++) {
    // Where all have their most, the first takes what is left.
    const soonest = open[0] ?? 0;
    shares[soonest]! += 1;
    if (open.length === 0) continue;
    if (shares[soonest]! >= (workers[soonest]!.atMost ?? lanes)) {
      const last = open.pop()!;
      if (last !== soonest) open[0] = last;
    }
    settle(0);
  }
  return shares;
}

/** How long a step takes under a deal, in the unit of `laneSeconds`: as long as its slowest worker. */
export function stepSeconds(dealt: readonly DealtLanes[], workers: readonly DealtWorker[]): number {
  const secondsOf = new Map(workers.map(({ name, laneSeconds }) => [name, laneSeconds ?? 1]));
  return Math.max(...dealt.map(({ worker, lanes }) => lanes * (secondsOf.get(worker) ?? 1)));
}
