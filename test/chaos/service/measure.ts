/** What faults cost a service, from the events of its job and from what its coordinators recorded. */
import type { ProgressEvent } from "../../../core/events.ts";
import { distilSteps, type Percentiles, percentiles } from "../measure.ts";
import type { ServiceFaultKind } from "./faults.ts";
import type { Recorded } from "./recorded.ts";
import type { ServiceStruck } from "./strike.ts";

export interface ServiceCost {
  /** From a leader's death, or stop, to the first decision of the next. */
  readonly takeoverMs: Percentiles | null;
  /** Leaders that were killed, or stopped for longer than a lease lasts, and that nobody followed. */
  readonly notFollowed: number;
  readonly byKind: Readonly<Partial<Record<ServiceFaultKind, Pace>>>;
}

/** Steps a second. */
export interface Pace {
  readonly count: number;
  readonly disturbed: number;
  /** Of the time after each, in which nothing was done. */
  readonly quiet: number;
  /** How much fewer steps a minute has in which the fault is; a share, from the mean of all of the kind. */
  readonly fall: number;
  /** Standard error of the mean of their falls; null of a single one. */
  readonly fallError: number | null;
}

/** Of a fault: [from, until) it is felt, [until, quietUntil) nothing is done. Unix times. */
export interface Span {
  readonly struck: ServiceStruck;
  readonly untilMs: number;
  readonly quietUntilMs: number;
}

const leaseMs = 3_000;

/**
 * What is promised of a leader's end: until the next decides, and a share of the steps of the minute around it. A rate
 * wavers: a fall is too much where it is by more than two standard errors; one that is known from fewer than `samples`
 * where it is more than `single`.
 */
export const bounds = { takeoverMs: 5_000, fall: 0.02, samples: 5, single: 0.2 };

/** What was slower than it may be, in sentences. */
export function slowIn({ takeoverMs, byKind }: ServiceCost): string[] {
  const late = takeoverMs !== null && takeoverMs.p99 > bounds.takeoverMs;
  const falls = Object.entries(byKind).filter(([kind, pace]) => !kind.endsWith("-and-worker") && isTooMuch(pace));
  return [
    ...(late ? [`a takeover took ${takeoverMs.p99} ms, and ${bounds.takeoverMs} are enough`] : []),
    ...falls.map(([kind, { fall, fallError }]) => `${kind} cost ${fall} +- ${fallError ?? "?"} of a minute's steps`),
  ];
}

function isTooMuch({ count, fall, fallError }: Pace): boolean {
  if (fallError === null || count < bounds.samples) return fall > bounds.single;
  return fall - 2 * fallError > bounds.fall;
}

export function costOf(
  events: readonly ProgressEvent[],
  records: readonly Recorded[],
  spans: readonly Span[],
): ServiceCost {
  const takeovers = spans.flatMap(({ struck }) => takeover(records, struck));
  const kinds = [...new Set(spans.map(({ struck }) => struck.kind))];
  return {
    takeoverMs: percentiles(takeovers.filter((ms) => ms !== null)),
    notFollowed: takeovers.filter((ms) => ms === null).length,
    byKind: Object.fromEntries(kinds.map((kind) => [kind, paceOf(events, ofKind(spans, kind))])),
  };
}

function ofKind(spans: readonly Span[], kind: ServiceFaultKind): Span[] {
  return spans.filter(({ struck }) => struck.kind === kind);
}

/** None where no leader was struck. */
function takeover(records: readonly Recorded[], { fence, kind, lastsMs, struckMs }: ServiceStruck): (number | null)[] {
  if (fence === null || (kind === "stop-leader" && lastsMs <= 2 * leaseMs)) return [];
  const later = records.filter((record) => record.kind === "decided" && record.fence > fence);
  const first = later.reduce((least, { atMs }) => Math.min(least, atMs), Number.POSITIVE_INFINITY);
  return [later.length === 0 ? null : first - struckMs];
}

function paceOf(events: readonly ProgressEvent[], spans: readonly Span[]): Pace {
  const disturbed = spans.map(({ struck, untilMs }) => rate(events, struck.struckMs, untilMs));
  const quiet = spans.map(({ untilMs, quietUntilMs }) => rate(events, untilMs, quietUntilMs));
  const [felt, usual] = [mean(disturbed), mean(quiet)];
  const seconds = mean(spans.map(({ struck, untilMs }) => (untilMs - struck.struckMs) / 1_000));
  const share = Math.min(1, seconds / 60);
  const fall = (1 - felt / usual) * share;
  const error = standardError(disturbed.map((each, at) => (1 - each / quiet[at]!) * share));
  const fallError = error === null ? null : rounded(error);
  return { count: spans.length, disturbed: rounded(felt), quiet: rounded(usual), fall: rounded(fall), fallError };
}

/** Steps that nobody was told of at once count: the next that is told says how many there were. */
function rate(events: readonly ProgressEvent[], fromMs: number, toMs: number): number {
  const steps = distilSteps(events, 0, Number.POSITIVE_INFINITY);
  return (1_000 * (stepAt(steps, toMs) - stepAt(steps, fromMs))) / (toMs - fromMs);
}

interface Told {
  readonly atMs: number;
  readonly step: number;
}

/** Between what was told before and after. */
function stepAt(steps: readonly Told[], atMs: number): number {
  const after = steps.findIndex((each) => each.atMs >= atMs);
  if (after <= 0) return after === 0 ? steps[0]!.step : (steps.at(-1)?.step ?? 0);
  const [from, to] = [steps[after - 1]!, steps[after]!];
  const share = (atMs - from.atMs) / Math.max(1, to.atMs - from.atMs);
  return from.step + share * (to.step - from.step);
}

function mean(numbers: readonly number[]): number {
  return numbers.reduce((sum, each) => sum + each, 0) / Math.max(1, numbers.length);
}

/** Of the mean; null of less than two. */
function standardError(numbers: readonly number[]): number | null {
  if (numbers.length < 2) return null;
  const middle = mean(numbers);
  const squares = numbers.reduce((sum, each) => sum + (each - middle) ** 2, 0);
  return Math.sqrt(squares / (numbers.length - 1) / numbers.length);
}

function rounded(number: number): number {
  return Number(number.toFixed(4));
}
