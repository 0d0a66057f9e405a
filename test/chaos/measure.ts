/** What faults cost, measured from the events of the run. */
import type { ProgressEvent } from "../../core/events.ts";
import type { Struck } from "./strike.ts";

export interface Percentiles {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
}

export interface Cost {
  /** Steps that were known to be done and were done again. */
  readonly stepsLost: number;
  /** From a fault to the term that answers it; faults that no term answers do not count. */
  readonly detectionMs: Percentiles | null;
  /** From a fault of a student to the next step that is finished after it. */
  readonly recoveryMs: Percentiles | null;
  readonly recoveryMsByKind: Readonly<Record<string, Percentiles>>;
  /** The share of the time in which steps were made that count: not between a fault and the next finished step. */
  readonly goodput: number;
  /** The share of the distil stage in which no step was made: from the opening of a term to its first step, and silences. */
  readonly stalled: number;
}

type Of<K extends ProgressEvent["kind"]> = Extract<ProgressEvent, { kind: K }>;

/** A fault that no term follows within this has not been noticed, or was too short to be. */
const answerMs = 10_000;

export function measure(events: readonly ProgressEvent[], faults: readonly Struck[]): Cost {
  const answered = faults.map((fault, index) => ({ fault, ...answerTo(events, fault, faults[index + 1]) }));
  const detections = answered.flatMap(({ detectionMs }) => detectionMs ?? []);
  const ofStudents = answered.filter(({ fault }) => fault.role === "student" && fault.kind !== "add");
  const kinds = [...new Set(answered.map(({ fault }) => `${fault.kind}${byRole(fault)}`))].sort();
  const byKind = kinds.flatMap((kind) => {
    const times = answered.filter(({ fault }) => `${fault.kind}${byRole(fault)}` === kind);
    const found = percentiles(times.flatMap(({ recoveryMs }) => recoveryMs ?? []));
    return found ? [[kind, found] as const] : [];
  });
  return {
    stepsLost: stepsLost(events),
    detectionMs: percentiles(detections),
    recoveryMs: percentiles(ofStudents.flatMap(({ recoveryMs }) => recoveryMs ?? [])),
    recoveryMsByKind: Object.fromEntries(byKind),
    goodput: goodput(events, answered),
    stalled: stalled(events),
  };
}

/** Freezing or cutting off a teacher is another thing than a student. */
function byRole({ kind, role }: Struck): string {
  return kind === "freeze" || kind === "partition" || kind === "terminate" ? `-${role}` : "";
}

interface Answer {
  readonly detectionMs: number | null;
  readonly recoveryMs: number | null;
}

/** @param next no answer to this one counts */
function answerTo(events: readonly ProgressEvent[], fault: Struck, next: Struck | undefined): Answer {
  const untilMs = Math.min(fault.atMs + fault.lastsMs + answerMs, next?.atMs ?? Number.POSITIVE_INFINITY);
  const within = events.filter(({ atMs }) => atMs >= fault.atMs && atMs <= untilMs);
  const opened = within.find((event): event is Of<"term-opened"> => event.kind === "term-opened");
  const begun =
    opened &&
    within.find((event): event is Of<"term-begun"> => event.kind === "term-begun" && event.term >= opened.term);
  // Steps that were in flight when it struck may be told after it.
  const fromMs = opened ? (begun?.atMs ?? Number.POSITIVE_INFINITY) : fault.atMs + held(fault);
  const step = begun?.step ?? 0;
  const after = events.find((event) => event.kind === "stepped" && event.atMs >= fromMs && event.step > step);
  return {
    detectionMs: opened && fault.kind !== "add" ? opened.atMs - fault.atMs : null,
    recoveryMs: after ? after.atMs - fault.atMs : null,
  };
}

/** While it lasts, no step is finished. */
function held({ kind, role, lastsMs }: Struck): number {
  return role === "student" && (kind === "freeze" || kind === "partition") ? lastsMs : 0;
}

function stepsLost(events: readonly ProgressEvent[]): number {
  let lost = 0;
  let known = { stage: "", step: 0 };
  for (const event of events) {
    if (event.kind === "stepped") known = { stage: event.stage, step: event.step };
    if (event.kind === "term-begun" && event.stage === known.stage) {
      lost += Math.max(0, known.step - event.step);
      known = { stage: event.stage, step: event.step };
    }
  }
  return lost;
}

function goodput(events: readonly ProgressEvent[], answered: readonly ({ fault: Struck } & Answer)[]): number {
  const steps = events.filter(({ kind }) => kind === "stepped");
  const [from, to] = [steps[0]?.atMs, steps.at(-1)?.atMs];
  if (from === undefined || to === undefined || to <= from) return 0;
  const stalls = answered
    .filter(({ fault }) => fault.kind !== "add" && fault.kind !== "kill-coordinator")
    .map(({ fault, recoveryMs }) => [fault.atMs, fault.atMs + (recoveryMs ?? 0)] as const);
  let [stalledMs, reached] = [0, from];
  for (const [start, end] of stalls) {
    stalledMs += Math.max(0, Math.min(end, to) - Math.max(start, reached));
    reached = Math.max(reached, end);
  }
  return Number((1 - stalledMs / (to - from)).toFixed(4));
}

/** Steps are told four times a second: who says nothing for so long makes none. */
const silenceMs = 1_000;

function stalled(events: readonly ProgressEvent[]): number {
  const steps = distilSteps(events, 0, Number.POSITIVE_INFINITY);
  const [first, last] = [steps[0], steps.at(-1)];
  if (!first || !last || first === last) return 0;
  let [told, stalledMs] = [first.atMs, 0];
  /** When the term opened that has not made a step yet. */
  let openedMs: number | null = null;
  for (const event of events) {
    if (event.atMs < first.atMs || event.atMs > last.atMs) continue;
    if (event.kind === "term-opened") openedMs ??= event.atMs;
    if (event.kind !== "stepped") continue;
    const isSilence = event.atMs - told > silenceMs;
    if (isSilence) stalledMs += event.atMs - told;
    else if (openedMs !== null) stalledMs += event.atMs - openedMs;
    [told, openedMs] = [event.atMs, null];
  }
  return Number((stalledMs / (last.atMs - first.atMs)).toFixed(4));
}

/** Told steps of the distil stage between two moments. */
export function distilSteps(events: readonly ProgressEvent[], fromMs: number, toMs: number): Of<"stepped">[] {
  const isWithin = (event: Of<"stepped">) => event.stage === "distil" && event.atMs >= fromMs && event.atMs < toMs;
  return events.filter((event): event is Of<"stepped"> => event.kind === "stepped" && isWithin(event));
}

/** Steps a second of the distil stage between two moments; 0 where there were no two reports. */
export function distilRate(events: readonly ProgressEvent[], fromMs: number, toMs: number): number {
  const steps = distilSteps(events, fromMs, toMs);
  const [first, last] = [steps[0], steps.at(-1)];
  if (!first || !last || last.atMs === first.atMs) return 0;
  return (1_000 * (last.step - first.step)) / (last.atMs - first.atMs);
}

export function percentiles(times: readonly number[]): Percentiles | null {
  if (times.length === 0) return null;
  const sorted = [...times].sort((one, other) => one - other);
  const at = (share: number) => Math.round(sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)]!);
  return { count: sorted.length, p50: at(0.5), p99: at(0.99) };
}
