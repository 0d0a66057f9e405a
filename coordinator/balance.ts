/** Lanes by measured speed: a term is opened for another deal where that makes a step clearly shorter, and not at once. */
import { type DealtWorker, deal, stepSeconds } from "../core/deal.ts";
import { withEntry } from "../core/layered.ts";
import { dealtTo } from "./members.ts";
import type { Progress } from "./messages.ts";
import type { Next, Plan, Running, Worker } from "./state.ts";
import { openTerm } from "./term.ts";

/** Weight of the newest measurement. */
const newest = 0.3;
/** Hysteresis: what a step must become, as a share of what it is, and for how long that must have been so. */
const worthwhile = 0.75;
const lastingMs = 1_000;

/** A student has told how long its lanes took to compute. */
export function timed(state: Running, worker: Worker, { steps, phases }: Progress): Running {
  const dealt = dealtTo(state.deal, worker.name);
  if (!dealt) return state;
  const now = phases.compute / steps / dealt.lanes;
  const before = state.laneSeconds.get(worker.name);
  const laneSeconds = before === undefined ? now : before + newest * (now - before);
  return { ...state, laneSeconds: withEntry(state.laneSeconds, worker.name, laneSeconds) };
}

/** Weighs the deal against the speeds. Opens a planned term where another deal has been better for a while. */
export function weigh(plan: Plan, state: Running, atMs: number): Next {
  const members = state.deal.map(({ worker }): DealtWorker | null => {
    const laneSeconds = state.laneSeconds.get(worker);
    return laneSeconds === undefined ? null : { name: worker, laneSeconds };
  });
  const known = members.filter((each) => each !== null);
  // One that is tried again has shown with its first steps what it is; every one more would be as slow as it.
  const isTrial = state.deal.some(({ worker }) => state.bench.get(worker)?.why === "slow");
  const { weighMs, trialMs } = plan.patience;
  if (known.length < members.length || atMs - state.openedMs < (isTrial ? trialMs : weighMs)) return [state];
  const better = deal(plan.job.lanes.count, known);
  const isWorthwhile = stepSeconds(better, known) < worthwhile * stepSeconds(state.deal, known);
  if (!isWorthwhile) return [cleared({ ...state, betterDealSinceMs: null })];
  const since = state.betterDealSinceMs ?? atMs;
  if (!isTrial && atMs - since < lastingMs) return [{ ...state, betterDealSinceMs: since }];
  const why = `lanes by speed: ${known.map(({ name, laneSeconds }) => `${name} ${milliseconds(laneSeconds!)} a lane`).join(", ")}`;
  return openTerm(plan, state, { atMs, why, reason: "speed", planned: true });
}

/** Who was tried again and is as fast as the others is no longer marked. */
function cleared(state: Running): Running {
  const bench = new Map([...state.bench].filter(([name]) => !dealtTo(state.deal, name)));
  return bench.size === state.bench.size ? state : { ...state, bench };
}

function milliseconds(seconds: number): string {
  return `${(seconds * 1000).toFixed(1)} ms`;
}
