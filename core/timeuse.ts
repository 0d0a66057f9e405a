/** Where a run's time went, stage by stage, from its events. */

import type { ProgressEvent } from "./events.ts";
import { phases } from "./phases.ts";
import type { Stage } from "./stages.ts";

/** Seconds of wall time; all but `data` and `exporting` add up to `wall`. */
export interface StageTime {
  readonly stage: Stage;
  /** From the stage's first term to its last evaluation. */
  readonly wall: number;
  /** From a pause, or the opening of a term, to its beginning: workers are waited for, models built, replicas fetched. */
  readonly gettingReady: number;
  /** Of the student that led: waiting for soft targets; forward, loss and gradients; all-reduce; optimizer. */
  readonly softTargets: number;
  readonly compute: number;
  readonly exchange: number;
  readonly apply: number;
  /** After the last step: the evaluation that ends the stage. */
  readonly evaluating: number;
  /** Evaluations and checkpoints on the way, the doctor, steps that were lost, and what none of these is. */
  readonly rest: number;
  /** Making later batches, while the compute thread works. */
  readonly data: number;
  /** After the stage. */
  readonly exporting: number;
}

/** Of the stages that are over. */
export function timeUse(events: readonly ProgressEvent[]): readonly StageTime[] {
  const stages = new Map<Stage, Clock>();
  const clockOf = (stage: Stage, atMs: number) => {
    const clock = stages.get(stage) ?? new Clock(atMs);
    stages.set(stage, clock);
    return clock;
  };
  let last: Clock | null = null;
  for (const event of events) {
    if (event.kind === "job-paused") last?.wait(event.atMs);
    if (!("stage" in event)) continue;
    last = clockOf(event.stage, event.atMs);
    last.hear(event);
  }
  return [...stages].flatMap(([stage, clock]) => clock.total(stage) ?? []);
}

type Staged = Extract<ProgressEvent, { stage: Stage }>;

class Clock {
  readonly #beginMs: number;
  readonly #sums = { softTargets: 0, compute: 0, exchange: 0, apply: 0, data: 0 };
  #step = 0;
  #openedMs: number | null = null;
  #readyMs = 0;
  #steppedMs: number;
  #finishedMs: number | null = null;
  #exportedMs: number | null = null;

  constructor(beginMs: number) {
    this.#beginMs = beginMs;
    this.#steppedMs = beginMs;
  }

  /** Nothing is trained until a term begins. */
  wait(atMs: number): void {
    this.#openedMs ??= atMs;
  }

  hear(event: Staged): void {
    switch (event.kind) {
      case "term-opened":
        this.wait(event.atMs);
        return;
      case "term-begun":
        this.#readyMs += event.atMs - (this.#openedMs ?? event.atMs);
        this.#openedMs = null;
        this.#step = event.step;
        this.#steppedMs = event.atMs;
        return;
      case "stepped": {
        const steps = Math.max(0, event.step - this.#step);
        for (const phase of phases) this.#sums[phase] += event.phases[phase] * steps;
        this.#step = event.step;
        this.#steppedMs = event.atMs;
        return;
      }
      case "stage-finished":
        this.#finishedMs = event.atMs;
        return;
      case "exported":
        this.#exportedMs = event.atMs;
        return;
    }
  }

  total(stage: Stage): StageTime | null {
    if (this.#finishedMs === null) return null;
    const wall = (this.#finishedMs - this.#beginMs) / 1000;
    const gettingReady = this.#readyMs / 1000;
    const evaluating = (this.#finishedMs - this.#steppedMs) / 1000;
    const { softTargets, compute, exchange, apply, data } = this.#sums;
    const known = gettingReady + evaluating + softTargets + compute + exchange + apply;
    const exporting = ((this.#exportedMs ?? this.#finishedMs) - this.#finishedMs) / 1000;
    return {
      ...{ stage, wall, gettingReady, softTargets, compute, exchange, apply, evaluating },
      // The phases are measured by another clock than the wall.
      ...{ rest: Math.max(0, wall - known), data, exporting },
    };
  }
}
