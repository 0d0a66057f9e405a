/** Do two answers for the same examples agree, row by row? What teachers serve, compared within the noise of their numerics. */
import type { Finding } from "./finding.ts";

/** Logits for some examples, and who gave them. */
export interface Answer {
  readonly from: string;
  /** Ids, each once. */
  readonly examples: Uint32Array;
  /** [examples, classes] */
  readonly logits: Float32Array;
}

export interface Difference {
  readonly example: number;
  readonly class: number;
  readonly one: number;
  readonly other: number;
  /** Of the examples of the lane, the one whose logits the other answer gives instead; null where it is none. */
  readonly belongsTo: number | null;
}

/** Of the range of the logits: rounding to float16 on both sides, and devices that round products to 10 bits. */
const rangeTolerance = 5e-3;
/** Of the largest logit: what float16 cannot tell apart. */
const magnitudeTolerance = 1e-3;

/** Of the examples in both, the one on which they differ most, beyond the tolerance; null where they agree. */
export function differenceOf(
  one: Answer,
  other: Answer,
  classes: number,
  tolerance = toleranceOf(one.logits),
): Difference | null {
  const rowOf = new Map([...other.examples].map((example, row) => [example, row]));
  let found: Omit<Difference, "belongsTo"> | null = null;
  let largest = tolerance;
  for (const [row, example] of one.examples.entries()) {
    const otherRow = rowOf.get(example);
    if (otherRow === undefined) continue;
    for (let c = 0; c < classes; c++) {
      const [a, b] = [one.logits[row * classes + c]!, other.logits[otherRow * classes + c]!];
      const distance = Math.abs(a - b);
      if (distance <= largest) continue;
      largest = distance;
      found = { example, class: c, one: a, other: b };
    }
  }
  if (!found) return null;
  const wrong = rowAt(other, rowOf.get(found.example)!, classes);
  const owner = [...one.examples].find((example, row) => {
    return example !== found.example && isNear(rowAt(one, row, classes), wrong, tolerance);
  });
  return { ...found, belongsTo: owner ?? null };
}

/** The difference in words, after "for example 17". */
export function describeDifference(
  { class: c, one, other, belongsTo }: Difference,
  from: readonly [string, string],
): string {
  const instead = belongsTo === null ? "" : `, which is what example ${belongsTo} was given`;
  return `${from[0]} gave ${one.toPrecision(5)} for class ${c}, ${from[1]} ${other.toPrecision(5)}${instead}`;
}

/**
 * Targets that pair with the wrong example.
 * @param first as it came through the path that training takes
 * @param again the same examples, asked for in another order, or computed here: what they should be
 */
export function pairing(first: Answer, again: readonly Answer[], classes: number): Finding {
  const examples = first.examples.length;
  for (const answer of again) {
    const difference = differenceOf(answer, first, classes);
    if (!difference) continue;
    const told = describeDifference(difference, [answer.from, first.from]);
    const { example, class: c, one, other } = difference;
    const message = `soft targets pair with the wrong example: for example ${example} ${told}`;
    return {
      check: "pairing",
      severity: "refusal",
      message,
      evidence: { example, class: c, expected: one, served: other },
    };
  }
  const message = `${examples} examples have the same soft targets however they are asked for (${again.map(({ from }) => from).join(", ")})`;
  return { check: "pairing", severity: "ok", message, evidence: { examples } };
}

/** Teachers that should be one: the odd one out is named where there are three or more. */
export function replicas(answers: readonly Answer[], classes: number): Finding {
  const differ = (one: Answer, other: Answer) => differenceOf(one, other, classes) !== null;
  const agreeing = answers.map((one) => answers.filter((other) => !differ(one, other)).length);
  const most = Math.max(...agreeing);
  if (most === answers.length) {
    const message = `${answers.length} teachers give equal soft targets, within what numerics allow`;
    return { check: "replicas", severity: "ok", message, evidence: { teachers: answers.length } };
  }
  const reference = answers[agreeing.indexOf(most)]!;
  const odd = answers.find((other) => differ(reference, other))!;
  const difference = differenceOf(reference, odd, classes)!;
  const told = describeDifference(difference, [reference.from, odd.from]);
  const whose = most > answers.length / 2 ? `${odd.from} differs from the other teachers` : "the teachers differ";
  const { example, class: c, one, other } = difference;
  return {
    check: "replicas",
    severity: "refusal",
    message: `${whose}: for example ${example} ${told}`,
    evidence: { example, class: c, [reference.from]: one, [odd.from]: other },
  };
}

/** How far logits of equal teachers may be apart. */
export function toleranceOf(logits: Float32Array): number {
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of logits) [least, most] = [Math.min(least, value), Math.max(most, value)];
  return rangeTolerance * (most - least) + magnitudeTolerance * Math.max(Math.abs(least), Math.abs(most));
}

function rowAt({ logits }: Answer, row: number, classes: number): Float32Array {
  return logits.subarray(row * classes, (row + 1) * classes);
}

function isNear(one: Float32Array, other: Float32Array, tolerance: number): boolean {
  return one.every((value, at) => Math.abs(value - other[at]!) <= tolerance);
}
