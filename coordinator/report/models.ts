/** The three models of a run, and how a page names them. */
import type { ModelReport } from "../../core/report.ts";
import type { RunReport } from "../../core/runreport.ts";
import type { Stage } from "../../core/stages.ts";

export interface NamedModel {
  readonly name: "teacher" | "student" | "baseline";
  /** Number of its colour. */
  readonly colour: number;
  readonly model: ModelReport;
}

export const modelOfStage = { teach: "teacher", distil: "student", baseline: "baseline" } as const satisfies Record<
  Stage,
  NamedModel["name"]
>;
export const colourOfStage: Readonly<Record<Stage, number>> = { teach: 0, distil: 1, baseline: 2 };

export function modelsOf({ teacher, student, baseline }: RunReport): readonly NamedModel[] {
  return [
    { name: "teacher", colour: 0, model: teacher },
    { name: "student", colour: 1, model: student },
    ...(baseline ? [{ name: "baseline", colour: 2, model: baseline } as const] : []),
  ];
}

export function className({ dataset }: RunReport, label: number): string {
  return dataset.classNames[label] ?? String(label);
}
