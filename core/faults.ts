/** What went wrong in a run and was survived, from its events, in words. */
import type { ProgressEvent } from "./events.ts";

export interface Fault {
  /** What happened, for any number of times. */
  readonly what: string;
  readonly times: number;
  /** The first few, as they were told. */
  readonly told: readonly string[];
}

const mostTold = 5;

/** By kind, in the order in which each was first met. */
export function faultsOf(events: readonly ProgressEvent[]): readonly Fault[] {
  const faults = new Map<string, { times: number; told: string[] }>();
  for (const event of events) {
    const met = faultOf(event);
    if (!met) continue;
    const [what, told] = met;
    const fault = faults.get(what) ?? { times: 0, told: [] };
    fault.times += 1;
    if (fault.told.length < mostTold) fault.told.push(told);
    faults.set(what, fault);
  }
  return [...faults].map(([what, fault]) => ({ what, ...fault }));
}

/** Something went wrong. What was then done about it, such as a term, is no fault of its own. */
export function isFault(event: ProgressEvent): boolean {
  return event.kind === "job-failed" || (!isAnswer(event) && faultOf(event) !== null);
}

function isAnswer({ kind }: ProgressEvent): boolean {
  return kind === "term-opened" || kind === "restored";
}

/** What it was and how it is told; null where nothing went wrong. */
export function faultOf(event: ProgressEvent): readonly [what: string, told: string] | null {
  switch (event.kind) {
    case "worker-lost":
      return ["workers lost", `${event.worker}: ${event.why}`];
    case "worker-refused":
      return ["workers refused", `${event.worker}: ${event.why}`];
    case "worker-warned":
      return ["warnings", `${event.worker}: ${event.why}`];
    case "term-opened":
      // The first of a stage is planned, or opens because all are there.
      return event.term === 1 || event.planned ? null : ["terms opened by a fault", `term ${event.term}: ${event.why}`];
    case "job-paused":
      return ["pauses", event.why];
    case "coordinator-recovered":
      return ["restarts of the coordinator", event.why];
    case "restored":
      return ["replicas read from a checkpoint", `${event.worker}: step ${event.step} of ${event.stage}`];
    case "checkpoint-passed-over":
      return ["checkpoints passed over", `${event.worker}: ${event.why}`];
    case "step-skipped":
      return [
        "lanes without a finite gradient",
        `step ${event.step} of ${event.stage}, lane ${event.lane}: ${event.why}`,
      ];
    case "payload-damaged":
      return ["damaged payloads fetched again", `${event.worker}, ${event.what} from ${event.from}: ${event.why}`];
    case "replica-diverged":
      return ["replicas that differed", `${event.worker}, step ${event.step} of ${event.stage}: ${event.why}`];
    default:
      return null;
  }
}
