/** What came of distilling, in a sentence. */
import { counted } from "./words.ts";

/** A model by its size and its errors on the evaluation split. */
export interface Counted {
  /** 0 where they are not known. */
  readonly parameters: number;
  readonly errors: number;
}

export interface Compared {
  readonly teacher: Counted;
  readonly student: Counted;
  readonly baseline: Counted | null;
}

/**
 * What share of the errors that the teacher spares the baseline the student is spared, too: 1 where it is as good as
 * its teacher, below 0 where it is worse than the baseline. null where the teacher is no better than the baseline.
 */
export function gapRecovered({ teacher, student, baseline }: Compared): number | null {
  if (!baseline || baseline.errors <= teacher.errors) return null;
  return (baseline.errors - student.errors) / (baseline.errors - teacher.errors);
}

/** @param pValue of the difference between student and baseline; null where there is no baseline */
export function summary(compared: Compared, pValue: number | null): string {
  const { teacher, student, baseline } = compared;
  const own = `The distilled student makes ${errors(student)}`;
  const isSized = teacher.parameters > 0 && student.parameters > 0;
  const size = isSized ? ` at ${(student.parameters / teacher.parameters).toPrecision(2)} of its parameters` : "";
  if (!baseline || pValue === null) return `${own}, its teacher ${teacher.errors}${size && `,${size}`}.`;
  const test = `${pValueText(pValue)}${pValue < 0.05 ? "" : ", which chance alone explains"}`;
  const both = `${own}, the same student without a teacher ${baseline.errors}, ${test}`;
  const gap = gapRecovered(compared);
  if (gap === null) return `${both}; the teacher itself, with ${errors(teacher)}, is no better than that.`;
  if (gap <= 0) return `${both}; it recovers nothing of the gap to the teacher, which makes ${errors(teacher)}.`;
  return `${both}; it recovers ${Math.round(gap * 100)} % of the gap to the teacher${size}.`;
}

function errors({ errors }: Counted): string {
  return counted(errors, "error");
}

export function pValueText(pValue: number): string {
  return pValue < 0.001 ? "p < 0.001" : `p = ${pValue.toPrecision(2)}`;
}
