/**
 * What the live page shows of a job's past, from its events, in bounded memory however long the job is. The coordinator
 * and the page each keep one: the page's begins as a copy, and hears the same events from there on.
 */
import type { DealtLanes, ProgressEvent } from "../events.ts";
import { faultOf } from "../faults.ts";
import { describe } from "../lines.ts";
import { phases } from "../phases.ts";
import type { Stage } from "../stages.ts";
import { type Columns, Track } from "./track.ts";

const curveNames = [
  ...(["loss", "hardLoss", "softLoss", "accuracy", "agreement", "samplesPerSecond", "learningRate"] as const),
  ...phases,
] as const;
const scoreNames = ["errors", "accuracy", "crossEntropy"] as const;
export type CurveName = (typeof curveNames)[number];
export type ScoreName = (typeof scoreNames)[number];

const mostRows = 400;
const mostLines = 400;
const mostMarks = 200;
const mostCheckpoints = 20;

type Of<K extends ProgressEvent["kind"]> = Extract<ProgressEvent, { kind: K }>;
type Told<K extends ProgressEvent["kind"]> = Omit<Of<K>, "kind">;

export interface StagePast {
  readonly stage: Stage;
  readonly curves: Track<CurveName>;
  readonly scores: Track<ScoreName>;
  plan: Told<"stage-started"> | null;
  latest: Told<"stepped"> | null;
  finished: Told<"stage-finished"> | null;
  cache: Told<"soft-target-cache"> | null;
}

export interface Line {
  readonly atMs: number;
  readonly level: "info" | "fault";
  readonly text: string;
}

/** A place in the timeline: where a term opened, a stage began or ended, or something went wrong. */
export interface Mark {
  readonly atMs: number;
  readonly kind: "term" | "stage" | "fault";
  readonly what: string;
  readonly why: string;
}

/** All but the stages' curves is as JSON has it. */
interface Facts {
  /** Events heard so far, those included that leave nothing here: the number of the next. */
  next: number;
  started: Told<"job-started"> | null;
  dataset: Told<"dataset-opened"> | null;
  /** Of the newest term. */
  deal: readonly DealtLanes[];
  lines: Line[];
  marks: Mark[];
  /** Terms and faults that are no longer among the marks. */
  marksForgotten: number;
  faults: number;
  checkpoints: Told<"checkpointed">[];
  ended: { readonly kind: "finished" | "stopped" | "failed"; readonly why: string } | null;
}

export interface HistoryJson extends Facts {
  readonly stages: readonly (Omit<StagePast, "curves" | "scores"> & {
    readonly curves: Columns<CurveName>;
    readonly scores: Columns<ScoreName>;
  })[];
}

export class History {
  readonly stages: StagePast[];
  readonly facts: Facts;

  /** @param earlier what `toJSON` gave */
  constructor(earlier?: HistoryJson) {
    const { stages = [], ...facts } = earlier ?? { ...noFacts(), stages: [] };
    this.facts = facts;
    this.stages = stages.map(({ curves, scores, ...stage }) => ({
      ...stage,
      curves: Track.of(curveNames, mostRows, curves),
      scores: Track.of(scoreNames, mostRows, scores),
    }));
  }

  toJSON(): HistoryJson {
    const stages = this.stages.map(({ curves, scores, ...stage }) => ({
      ...{ ...stage, curves: curves.columns(), scores: scores.columns() },
    }));
    return { ...this.facts, stages };
  }

  /** The next event; null where it was of a kind that leaves nothing here. */
  hear(event: ProgressEvent | null): void {
    this.facts.next += 1;
    if (!event) return;
    this.#tell(event);
    if ("stage" in event) this.#hearStage(this.#stageOf(event.stage), event);
    else this.#hearJob(event);
    if (event.kind === "term-opened") this.facts.deal = event.deal;
    if (event.kind === "checkpointed") push(this.facts.checkpoints, event, mostCheckpoints);
  }

  #hearJob(event: ProgressEvent): void {
    const { facts } = this;
    switch (event.kind) {
      case "job-started":
        facts.started = event;
        return;
      case "dataset-opened":
        facts.dataset = event;
        return;
      case "job-finished":
        facts.ended = { kind: "finished", why: summaryOf(event) };
        return;
      case "job-stopped":
        facts.ended = { kind: "stopped", why: event.why };
        return;
      case "job-failed":
        facts.ended = { kind: "failed", why: event.message };
        return;
      case "coordinator-recovered":
        facts.ended = null;
        return;
      default:
        return;
    }
  }

  #hearStage(past: StagePast, event: Extract<ProgressEvent, { stage: Stage }>): void {
    switch (event.kind) {
      case "stage-started":
        past.plan = event;
        return;
      case "soft-target-cache":
        past.cache = event;
        return;
      case "stepped": {
        const { step, epoch, phases, ...values } = event;
        past.curves.add(step, epoch, { ...values, ...phases });
        past.latest = event;
        return;
      }
      case "evaluated":
        past.scores.add(event.step, event.epoch, event.score);
        return;
      case "stage-finished":
        past.finished = event;
        return;
    }
  }

  #tell(event: ProgressEvent): void {
    const { facts } = this;
    const { atMs } = event;
    const fault = faultOf(event);
    if (fault) {
      facts.faults += 1;
      this.#mark({ atMs, kind: "fault", what: fault[0], why: fault[1] });
    } else {
      const mark = markOf(event);
      if (mark) this.#mark({ atMs, ...mark });
    }
    const text = event.kind === "stepped" ? null : describe(event);
    if (text)
      push(facts.lines, { atMs, level: fault || event.kind === "job-failed" ? "fault" : "info", text }, mostLines);
  }

  #mark(mark: Mark): void {
    this.facts.marksForgotten += push(this.facts.marks, mark, mostMarks);
  }

  #stageOf(stage: Stage): StagePast {
    const known = this.stages.find((each) => each.stage === stage);
    if (known) return known;
    const curves = new Track<CurveName>(curveNames, mostRows);
    const scores = new Track<ScoreName>(scoreNames, mostRows);
    const made = { stage, curves, scores, plan: null, latest: null, finished: null, cache: null };
    this.stages.push(made);
    return made;
  }
}

function noFacts(): Facts {
  return {
    ...{ next: 0, started: null, dataset: null, deal: [], lines: [], marks: [], marksForgotten: 0, faults: 0 },
    ...{ checkpoints: [], ended: null },
  };
}

function markOf(event: ProgressEvent): Omit<Mark, "atMs"> | null {
  switch (event.kind) {
    case "term-opened":
      return { kind: "term", what: `term ${event.term}`, why: event.why };
    case "teachers-changed":
      return { kind: "term", what: `term ${event.term} goes on`, why: event.why };
    case "stage-started":
      return { kind: "stage", what: event.stage, why: "begins" };
    case "stage-finished":
      return { kind: "stage", what: event.stage, why: "is done" };
    case "job-stopped":
      return { kind: "stage", what: "stopped", why: event.why };
    case "job-failed":
      return { kind: "fault", what: "failed", why: event.message };
    default:
      return null;
  }
}

/** @returns how many it let go from the front */
function push<T>(list: T[], item: T, most: number): number {
  list.push(item);
  if (list.length <= most) return 0;
  list.shift();
  return 1;
}

/** What of an event the history needs; null for what it does not. */
export function slim(event: ProgressEvent): ProgressEvent | null {
  if (event.kind === "worker-status" || event.kind === "term-begun") return null;
  if (event.kind !== "job-finished") return event;
  return { ...event, report: { summary: summaryOf(event) } };
}

/** The report is JSON from wherever it comes: an older one may have none. */
function summaryOf({ report }: Extract<ProgressEvent, { kind: "job-finished" }>): string {
  return (report as { summary?: string }).summary ?? "";
}
