/** How a run went, step by step, from its events: few enough points to draw. */

import type { ProgressEvent } from "./events.ts";
import type { Stage } from "./stages.ts";
import { rounded } from "./words.ts";

export type CurveName =
  | "loss"
  | "hardLoss"
  | "softLoss"
  | "accuracy"
  | "agreement"
  | "learningRate"
  | "samplesPerSecond";

/** Columns of equal length, by step; a value is null where the stage has none. */
export interface StageCurves {
  readonly stage: Stage;
  /** Passes over the training split, with a fraction. */
  readonly epochs: readonly number[];
  readonly values: Readonly<Record<CurveName, readonly (number | null)[]>>;
  readonly evaluations: {
    readonly epochs: readonly number[];
    readonly errors: readonly number[];
    readonly crossEntropy: readonly number[];
  };
}

type Stepped = Extract<ProgressEvent, { kind: "stepped" }>;
type Evaluated = Extract<ProgressEvent, { kind: "evaluated" }>;

/** @param most points of a curve: means over neighbours where there are more */
export function curvesOf(events: readonly ProgressEvent[], most = 300): readonly StageCurves[] {
  const stages = new Map<Stage, { steps: Stepped[]; evaluations: Evaluated[] }>();
  for (const event of events) {
    if (event.kind !== "stepped" && event.kind !== "evaluated") continue;
    const own = stages.get(event.stage) ?? { steps: [], evaluations: [] };
    stages.set(event.stage, own);
    if (event.kind === "stepped") goOn(own.steps, event);
    else goOn(own.evaluations, event);
  }
  return [...stages].map(([stage, { steps, evaluations }]) => {
    const buckets = bucketsOf(steps, most);
    const curve = (name: CurveName) => buckets.map((bucket) => mean(bucket.map((event) => event[name])));
    const values = {
      ...{ loss: curve("loss"), hardLoss: curve("hardLoss"), softLoss: curve("softLoss") },
      ...{ accuracy: curve("accuracy"), agreement: curve("agreement") },
      ...{ learningRate: curve("learningRate"), samplesPerSecond: curve("samplesPerSecond") },
    };
    return {
      stage,
      epochs: buckets.map((bucket) => rounded(bucket.at(-1)!.epoch)),
      values,
      evaluations: {
        epochs: evaluations.map(({ epoch }) => rounded(epoch)),
        errors: evaluations.map(({ score }) => score.errors),
        // What is not finite is null where it has been JSON.
        crossEntropy: evaluations.map(({ score }) => rounded(score.crossEntropy ?? Number.NaN)),
      },
    };
  });
}

/** What had come after a checkpoint that all went back to did not happen. */
function goOn<E extends { readonly step: number }>(before: E[], event: E): void {
  while (before.length > 0 && before.at(-1)!.step >= event.step) before.pop();
  before.push(event);
}

function bucketsOf<T>(values: readonly T[], most: number): T[][] {
  const count = Math.min(most, values.length);
  const edge = (at: number) => Math.round((at * values.length) / count);
  return Array.from({ length: count }, (_, at) => values.slice(edge(at), edge(at + 1)));
}

function mean(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : rounded(known.reduce((sum, value) => sum + value, 0) / known.length);
}
