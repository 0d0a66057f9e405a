/** Of the events so far what status shows: the newest of some kinds. */
import type { ProgressEvent } from "../core/events.ts";
import { isFault } from "../core/faults.ts";

type Of<K extends ProgressEvent["kind"]> = Extract<ProgressEvent, { kind: K }>;

export interface Latest {
  /** Of the stage that began last; null before its first. */
  readonly lastStep: Of<"stepped"> | null;
  /** Of the same stage, the newest last. */
  readonly recentLosses: readonly number[];
  readonly lastEvaluation: Of<"evaluated"> | null;
  readonly lastFault: ProgressEvent | null;
}

const keptLosses = 60;

export const nothingYet: Latest = { lastStep: null, recentLosses: [], lastEvaluation: null, lastFault: null };

export function withEvent(latest: Latest, event: ProgressEvent): Latest {
  switch (event.kind) {
    case "stage-started":
      return { ...latest, lastStep: null, recentLosses: [] };
    case "stepped":
      return { ...latest, lastStep: event, recentLosses: [...latest.recentLosses, event.loss].slice(-keptLosses) };
    case "evaluated":
      return { ...latest, lastEvaluation: event };
    default:
      return isFault(event) ? { ...latest, lastFault: event } : latest;
  }
}
