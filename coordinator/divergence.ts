/**
 * Replicas that should be equal and are not. A wrong replica's gradients have been in everyone's sums since it went
 * wrong, so in exact numerics all go back to the last checkpoint at which all agreed (L1); the one that differs from
 * the others is thrown out, and heals as a new member. In fast numerics the others go on as they are.
 */
import { LimbeckError } from "../core/errors.ts";
import { announce } from "./ending.ts";
import type { MessageOf } from "./messages.ts";
import type { Effect, Next, Plan, Running, Worker } from "./state.ts";
import { openTerm } from "./term.ts";

interface Disagreement {
  readonly step: number;
  /** By worker, its sha256. */
  readonly weights: ReadonlyMap<string, string>;
}

/** Digests need not come in the order of their steps; no more of them are kept than this. */
const keptSteps = 8;

/** A replica tells its weights' sha256. When all have, they are compared. */
export function digested(plan: Plan, state: Running, atMs: number, worker: Worker, found: MessageOf<"digest">): Next {
  const { step, weightsSha256 } = found;
  const weights = new Map(state.digests.get(step)).set(worker.name, weightsSha256);
  const isComplete = state.deal.every((each) => weights.has(each.worker));
  if (!isComplete) {
    const digests = new Map([...state.digests, [step, weights] as const].slice(-keptSteps));
    return [{ ...state, digests }];
  }
  const digests = new Map(state.digests);
  digests.delete(step);
  if (new Set(weights.values()).size > 1) return rollBack(plan, { ...state, digests }, atMs, { step, weights });
  const { course } = state;
  const tally = { ...course.tally, agreed: Math.max(course.tally.agreed, step) };
  return [{ ...state, digests, course: { ...course, tally } }];
}

/** Throws out who differs from the majority; without one nobody is right, and all go back. */
export function rollBack(plan: Plan, state: Running, atMs: number, { step, weights }: Disagreement): Next {
  const { stage } = state.course.plan;
  const isExact = plan.job.numerics === "exact";
  const wrong = minority(weights);
  const told = [...weights].map(([worker, sha256]) => `${worker} has ${sha256.slice(0, 12)}`).join(", ");
  const why = `the replicas differ after step ${step} of ${stage}: ${told}`;
  const announced = wrong.map((worker) => announce(atMs, { kind: "replica-diverged", worker, stage, step, why }));
  const out = state.workers.filter(({ name }) => wrong.includes(name));
  const error = new LimbeckError("stale_term", `${why}; it joins again as new, from a replica that is right`);
  const refusals = out.map(({ session }): Effect => ({ kind: "refuse", session, as: "fenced", error }));
  const workers = state.workers.filter(({ name }) => !wrong.includes(name));
  // A checkpoint after that may be of a wrong replica: a term can end before all digests of its step have come.
  const agreed = state.course.tally.agreed;
  const rollbackBelow = isExact || wrong.length === 0 ? agreed + 1 : null;
  const course = rollbackBelow === null ? state.course : { ...state.course, tally: upTo(state.course.tally, agreed) };
  const [next, ...effects] = openTerm(
    plan,
    { ...state, workers, course },
    { atMs, why, reason: "diverged", planned: false, rollbackBelow },
  );
  return [next, ...announced, ...refusals, ...effects];
}

/** Those that are not of the largest group of equals; none where two groups are the largest. */
function minority(weights: ReadonlyMap<string, string>): string[] {
  const counts = new Map<string, number>();
  for (const sha256 of weights.values()) counts.set(sha256, (counts.get(sha256) ?? 0) + 1);
  const most = Math.max(...counts.values());
  const largest = [...counts].filter(([, count]) => count === most);
  if (largest.length > 1) return [];
  return [...weights].flatMap(([worker, sha256]) => (sha256 === largest[0]![0] ? [] : [worker]));
}

/** What was evaluated or skipped after that step may be so of wrong replicas. */
function upTo(tally: Running["course"]["tally"], step: number): Running["course"]["tally"] {
  return {
    ...tally,
    evaluations: new Map([...tally.evaluations].filter(([key]) => Number.parseInt(key, 10) <= step)),
    evaluation: null,
    skipped: new Map([...tally.skipped].filter(([, skipped]) => skipped.step < step)),
  };
}
