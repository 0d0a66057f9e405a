/** The deal: which worker computes which lanes. */
import { LimbeckError } from "./errors.ts";
import type { DealtLanes } from "./events.ts";

export interface DealtWorker {
  readonly name: string;
  /** Relative speed, above 0; 1 where not given. */
  readonly weight?: number;
}

/**
 * Deals all lanes in contiguous runs, in the order of the workers, each at least one, in proportion to their weights
 * (largest remainder, ties to the earlier worker).
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
  const shares = apportion(
    lanes,
    workers.map((worker) => worker.weight ?? 1),
  );
  let firstLane = 0;
  return workers.map((worker, at) => {
    const dealt = { worker: worker.name, firstLane, lanes: shares[at]! };
    firstLane += dealt.lanes;
    return dealt;
  });
}

function apportion(lanes: number, weights: readonly number[]): number[] {
  const owing = new Set(weights.keys()); // Workers whose share is in proportion; the others get the one lane all are due.
  for (;;) {
    const toDeal = lanes - (weights.length - owing.size);
    const total = [...owing].reduce((sum, at) => sum + weights[at]!, 0);
    const quota = (at: number) => (toDeal * weights[at]!) / total;
    const tooSlow = [...owing].filter((at) => quota(at) < 1);
    if (tooSlow.length === owing.size || tooSlow.length === 0) {
      const shares = weights.map((_, at) => (owing.has(at) ? Math.max(1, Math.floor(quota(at))) : 1));
      const left = lanes - shares.reduce((sum, share) => sum + share, 0);
      const byRemainder = [...owing].sort((a, b) => (quota(b) % 1) - (quota(a) % 1) || a - b);
      for (const at of byRemainder.slice(0, left)) shares[at]! += 1;
      return shares;
    }
    for (const at of tooSlow) owing.delete(at);
  }
}
