/**
 * How many of the workers that the coordinator places should be teachers: measured, for on shared processors rates do not
 * add up. Hill climbing: a split on trial is kept where its rate is clearly better than that of the split before, else it
 * is gone back from; when no neighbour is better it rests, each time longer. Numbers only; who turns is placement.ts's.
 */
import { counted } from "../core/words.ts";

/** What the students have told since the split was last weighed. */
export interface Window {
  /** Of the lead: steps, their examples and their seconds. */
  readonly steps: number;
  readonly examples: number;
  readonly seconds: number;
  /** Of the lead, neither computing nor waiting for soft targets: exchange, update. */
  readonly otherSeconds: number;
  /** Of all students: seconds, how many of them went by waiting for soft targets, and how many teachers gave. */
  readonly spentSeconds: number;
  readonly waitedSeconds: number;
  readonly softTargets: number;
}

export interface Split {
  /** What it is about: with other workers all is measured anew. */
  readonly stage: string;
  readonly workers: string;
  readonly window: Window;
  /** By number of teachers: examples a second, as last measured. */
  readonly rates: ReadonlyMap<number, number>;
  /** What the split in force is compared with, while it is on trial. */
  readonly before: { readonly teachers: number; readonly rate: number } | null;
  /** Until when no other is tried; null before the first rest. */
  readonly restUntilMs: number | null;
  /** Rests in a row. */
  readonly rests: number;
  /** Windows in a row, while it rests, that were far from what was measured before. */
  readonly upsets: number;
  /** No soft target is asked for: all there is lies in the cache. */
  readonly isWarm: boolean;
  /** How often the cache that looked warm was not, and until when it is not believed to be again. */
  readonly recalls: number;
  readonly coldUntilMs: number;
  /** Why the split is as it is, in words. */
  readonly why: string;
}

export interface Situation {
  readonly atMs: number;
  /** In force. */
  readonly teachers: number;
  /** Bounds of what may be chosen; `fewest` may be 0, which is for a warm cache only. */
  readonly fewest: number;
  readonly most: number;
  /** Of steps, and how many of them, before a split is judged. */
  readonly windowMs: number;
  readonly windowSteps: number;
  /** Before others are tried again; doubles. */
  readonly retryMs: number;
  /** Examples a second under another split, from the speeds of its members; null where they are not known. */
  predict(teachers: number): number | null;
}

export interface Decision {
  readonly split: Split;
  /** Teachers there should be; null to leave it as it is. */
  readonly teachers: number | null;
}

/** What a split on trial must be better by. */
const margin = 1.05;
/** Share of their time that students wait: under the first no teacher more is needed, over the second none less. */
const [idleShare, starvedShare] = [0.05, 0.3];
/** A rate so far from the one before, for so many windows, is another situation. */
const upset = 0.7;
const upsetWindows = 2;
/** As many times the steps of a window without a question make a cache warm. */
const warmWindows = 2;
const mostDoublings = 7;
/** Weight of the newest measurement, while it rests. */
const newest = 0.3;

const noWindow: Window = {
  steps: 0,
  examples: 0,
  seconds: 0,
  otherSeconds: 0,
  spentSeconds: 0,
  waitedSeconds: 0,
  softTargets: 0,
};

export function newSplit(stage: string, workers: string): Split {
  return {
    stage,
    workers,
    window: noWindow,
    rates: new Map(),
    before: null,
    restUntilMs: null,
    rests: 0,
    upsets: 0,
    isWarm: false,
    recalls: 0,
    coldUntilMs: 0,
    why: "it is being measured",
  };
}

/** What is known of these workers in this stage; of the cache, what others have found. */
export function splitAbout(split: Split, stage: string, workers: string): Split {
  if (split.stage !== stage) return newSplit(stage, workers);
  if (split.workers === workers) return split;
  const { isWarm, why } = split;
  return { ...restarted(split, isWarm ? why : newSplit(stage, workers).why), workers, isWarm };
}

export interface Told {
  readonly steps: number;
  readonly seconds: number;
  readonly softTargets: number;
  /** Of them, those that no teacher was asked for. */
  readonly softTargetsCached: number;
  readonly metrics: { readonly examples: number };
  readonly phases: { readonly softTargets: number; readonly compute: number };
}

/** A student has told of some steps. */
export function observed(split: Split, told: Told, byLead: boolean): Split {
  const { steps, seconds, metrics, phases } = told;
  const { window } = split;
  const lead = byLead
    ? {
        steps: window.steps + steps,
        examples: window.examples + metrics.examples,
        seconds: window.seconds + seconds,
        otherSeconds: window.otherSeconds + Math.max(0, seconds - phases.softTargets - phases.compute),
      }
    : {};
  const all = {
    spentSeconds: window.spentSeconds + seconds,
    waitedSeconds: window.waitedSeconds + phases.softTargets,
    softTargets: window.softTargets + told.softTargets - told.softTargetsCached,
  };
  return { ...split, window: { ...window, ...all, ...lead } };
}

/** Judges the split in force, once there is enough to judge it by, and says which to have next. */
export function decide(split: Split, now: Situation): Decision {
  const { window } = split;
  const { teachers, windowMs, windowSteps, fewest } = now;
  if (window.seconds * 1000 < windowMs || window.steps < windowSteps) return { split, teachers: null };
  if (window.softTargets === 0) {
    const isSure = split.isWarm || (window.steps >= warmWindows * windowSteps && now.atMs >= split.coldUntilMs);
    if (!isSure) return { split, teachers: null };
    const why = `no soft target was asked for in ${window.steps} steps: the cache has them`;
    return { split: { ...restarted(split, why), isWarm: true }, teachers: fewest < teachers ? fewest : null };
  }
  return climb({ ...split, isWarm: false }, now);
}

/** Students wait for what no teacher is there to serve: one is called back at once. */
export function recall(split: Split, { atMs, retryMs }: Pick<Situation, "atMs" | "retryMs">): Split {
  const coldUntilMs = split.isWarm ? atMs + doubled(retryMs, split.recalls) : split.coldUntilMs;
  const recalls = split.recalls + (split.isWarm ? 1 : 0);
  return {
    ...restarted(split, "students wait for soft targets, and no teacher is there"),
    isWarm: false,
    recalls,
    coldUntilMs,
  };
}

function climb(split: Split, now: Situation): Decision {
  const { atMs, teachers } = now;
  const { window, before } = split;
  const rate = window.examples / window.seconds;
  const measured: Split = { ...split, window: noWindow, rates: new Map(split.rates).set(teachers, rate) };
  if (before !== null) {
    if (rate >= margin * before.rate) return tryNext({ ...measured, before: null, rests: 0 }, now, window);
    const why = `${shown(rate)} examples/s with ${counted(teachers, "teacher")}, ${shown(before.rate)} with ${counted(before.teachers, "teacher")}`;
    return { split: { ...measured, before: null, why }, teachers: before.teachers };
  }
  if (split.restUntilMs === null) return tryNext(measured, now, window);
  const rested = rest(split, teachers, rate);
  if (atMs < split.restUntilMs && rested.upsets < upsetWindows) return { split: rested, teachers: null };
  const anew = { ...measured, rates: new Map([[teachers, rate]]), restUntilMs: null, upsets: 0 };
  return tryNext(anew, now, window);
}

/** While it rests the rate is followed; one far off may be chance, and is kept out until it comes again. */
function rest(split: Split, teachers: number, rate: number): Split {
  const earlier = split.rates.get(teachers) ?? rate;
  const isUpset = rate < upset * earlier || upset * rate > earlier;
  if (isUpset) return { ...split, window: noWindow, upsets: split.upsets + 1 };
  const followed = earlier + newest * (rate - earlier);
  return { ...split, window: noWindow, upsets: 0, rates: new Map(split.rates).set(teachers, followed) };
}

/** A split that promises more than the one in force, and was not found to be worse since the last rest; else a rest. */
function tryNext(split: Split, now: Situation, window: Window): Decision {
  const { atMs, teachers, retryMs } = now;
  const rate = split.rates.get(teachers)!;
  const waited = window.waitedSeconds / window.spentSeconds;
  const next = predicted(split, now, rate) ?? neighbours(now, waited).find((each) => isOpen(split, each, rate));
  const share = `students waited ${(100 * waited).toFixed(0)} % of the time`;
  if (next === undefined) {
    const why = `${counted(teachers, "teacher")}: ${shown(rate)} examples/s, and no other split was better (${share})`;
    const restUntilMs = atMs + doubled(retryMs, split.rests);
    return { split: { ...split, restUntilMs, rests: split.rests + 1, why }, teachers: null };
  }
  return { split: { ...split, before: { teachers, rate }, why: share }, teachers: next };
}

/** To begin with, the speeds of the members say where to look; what is measured then is the better judge. */
function predicted(
  { rates, rests }: Split,
  { teachers, fewest, most, predict }: Situation,
  rate: number,
): number | undefined {
  const here = predict(teachers);
  if (rates.size > 1 || rests > 0 || here === null) return undefined;
  let [best, highest] = [teachers, here];
  for (let each = Math.max(1, fewest); each <= most; each++) {
    const promised = predict(each);
    if (promised !== null && promised > highest) [best, highest] = [each, promised];
  }
  return highest > margin * Math.max(here, rate) ? best : undefined;
}

function neighbours({ teachers, fewest, most }: Situation, waited: number): number[] {
  const more = waited >= idleShare && teachers + 1 <= most ? [teachers + 1] : [];
  const fewer = waited <= starvedShare && teachers - 1 >= Math.max(1, fewest) ? [teachers - 1] : [];
  return 2 * waited >= idleShare + starvedShare ? [...more, ...fewer] : [...fewer, ...more];
}

function isOpen({ rates }: Split, teachers: number, rate: number): boolean {
  const known = rates.get(teachers);
  return known === undefined || known > margin * rate;
}

/** All is measured anew; what was found out about the cache stays. */
function restarted(split: Split, why: string): Split {
  const { stage, workers, recalls, coldUntilMs } = split;
  return { ...newSplit(stage, workers), recalls, coldUntilMs, why };
}

function doubled(ms: number, times: number): number {
  return ms * 2 ** Math.min(times, mostDoublings);
}

function shown(rate: number): string {
  return rate.toFixed(rate < 10 ? 2 : 0);
}
