/** What report.json holds: the report of the stages, and what the run's events and its processes tell beside it. */
import type { ProgressEvent } from "./events.ts";
import { type Fault, faultsOf } from "./faults.ts";
import type { Report } from "./report.ts";
import { type StageTime, timeUse } from "./timeuse.ts";

/** Of the coordinator. */
export interface Software {
  readonly node: string;
  /** Operating system and processor. */
  readonly platform: string;
}

export interface RunReport extends Report {
  readonly software: Software;
  readonly time: readonly StageTime[];
  readonly faults: readonly Fault[];
}

/** @param events of the whole run so far */
export function runReport(report: Report, events: readonly ProgressEvent[], software: Software): RunReport {
  return { ...report, software, time: timeUse(events), faults: faultsOf(events) };
}
