/** What a page is drawn from. */
import type { StageCurves } from "../../core/curves.ts";
import type { RunReport } from "../../core/runreport.ts";

/** A run that is over, as its folder has it. */
export interface ReportedRun {
  readonly report: RunReport;
  readonly curves: readonly StageCurves[];
  /** The effective job. */
  readonly jobYaml: string;
}
