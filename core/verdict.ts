/**
 * Does the student beat the baseline? McNemar's paired test on one test set, exact: only the examples on which the two
 * differ say anything, and if neither model were better each such example would be a fair coin (McNemar 1947;
 * two-sided binomial form as in Dietterich 1998, section 3.1).
 */
import { LimbeckError } from "./errors.ts";

/** Level of significance of a verdict. */
const alpha = 0.05;

export interface PairedTest {
  /** Examples that the student alone got right. */
  readonly studentOnly: number;
  /** Examples that the baseline alone got right. */
  readonly baselineOnly: number;
  /** Two-sided: how often two equally good models would differ at least this much. */
  readonly pValue: number;
}

export interface Verdict extends PairedTest {
  readonly verdict: "beats" | "does_not_beat" | "inconclusive";
  /** The verdict as a sentence. */
  readonly why: string;
}

/**
 * @param studentCorrect one entry per test example, non-zero where the student was right
 * @param baselineCorrect the same examples in the same order
 */
export function mcnemar(studentCorrect: Uint8Array, baselineCorrect: Uint8Array): PairedTest {
  if (studentCorrect.length !== baselineCorrect.length) {
    throw new LimbeckError(
      "internal",
      `a paired test needs the same examples, got ${studentCorrect.length} of the student and ${baselineCorrect.length} of the baseline`,
    );
  }
  let studentOnly = 0;
  let baselineOnly = 0;
  studentCorrect.forEach((right, example) => {
    const student = right !== 0;
    const baseline = baselineCorrect[example] !== 0;
    if (student && !baseline) studentOnly++;
    if (baseline && !student) baselineOnly++;
  });
  return { studentOnly, baselineOnly, pValue: twoSidedBinomial(studentOnly, baselineOnly) };
}

/** `mcnemar` with its meaning: significant for the student, significant for the baseline, or neither. */
export function verdict(studentCorrect: Uint8Array, baselineCorrect: Uint8Array): Verdict {
  const test = mcnemar(studentCorrect, baselineCorrect);
  const { studentOnly, baselineOnly, pValue } = test;
  const counts = `of ${studentCorrect.length} examples the student alone got ${studentOnly} right and the baseline alone ${baselineOnly}`;
  const chance = `p = ${pValue < 1e-4 ? pValue.toExponential(1) : pValue.toFixed(4)}, exact McNemar test`;
  if (pValue >= alpha) {
    return { ...test, verdict: "inconclusive", why: `${counts}, which chance alone explains (${chance})` };
  }
  const beats = studentOnly > baselineOnly;
  const better = beats ? "the student is better" : "the baseline is better";
  return { ...test, verdict: beats ? "beats" : "does_not_beat", why: `${counts}: ${better} (${chance})` };
}

/** 2·P(X ≤ min(a, b)), at most 1, for X ~ Binomial(a + b, 1/2); in logarithms, for C(n, k)·2^-n underflows early. */
function twoSidedBinomial(a: number, b: number): number {
  const n = a + b;
  const k = Math.min(a, b);
  if (2 * k === n) return 1;
  let logChoose = 0;
  for (let j = 1; j <= k; j++) logChoose += Math.log((n - k + j) / j);
  // The tail as multiples of its largest term: C(n, i-1) = C(n, i) · i / (n - i + 1).
  let tail = 1;
  let term = 1;
  for (let i = k; i > 0; i--) {
    term *= i / (n - i + 1);
    tail += term;
  }
  return Math.min(1, 2 * Math.exp(logChoose - n * Math.LN2 + Math.log(tail)));
}
