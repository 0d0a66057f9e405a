/** Does what was kept of the logits agree with all of them, asked for again? Near ties decide what is kept, and may fall otherwise. */
import { logSumExp } from "../softmax.ts";
import { type Answer, type Difference, differenceOf, toleranceOf } from "./agreement.ts";

export interface KeptComparison {
  readonly classes: number;
  readonly temperature: number;
  /** What counts as a difference; by default what is more than the tolerance. */
  readonly beyond?: number | undefined;
}

/**
 * The answer in full is brought into the form of the one that was kept, with its choice of classes and not one's own.
 * Classes that have one value share a mass: the value is T·log(mean exp(z / T)) of theirs, which is no further off than
 * the furthest of their logits. So whatever two equal teachers kept, they agree within the tolerance of the logits.
 * @param kept the largest logits, the others all alike (worker/softtargets/topk.ts)
 * @param full all logits, of these examples and others
 */
export function differenceOfKept(
  kept: Answer,
  full: Answer,
  { classes, temperature, beyond }: KeptComparison,
): Difference | null {
  const tolerance = toleranceOf(full.logits);
  const rowOf = new Map([...kept.examples].map((example, row) => [example, row]));
  const logits = full.logits.slice();
  for (const [at, example] of full.examples.entries()) {
    const row = rowOf.get(example);
    if (row === undefined) continue;
    const own = kept.logits.subarray(row * classes, (row + 1) * classes);
    shareAlike(logits.subarray(at * classes, (at + 1) * classes), own, { temperature, tolerance });
  }
  return differenceOf(kept, { ...full, logits }, classes, beyond ?? tolerance);
}

/** In place: classes with one value in `kept` get what they would share. One that should have been kept itself stays, and differs. */
function shareAlike(
  row: Float32Array,
  kept: Float32Array,
  { temperature, tolerance }: { temperature: number; tolerance: number },
): void {
  const alike = new Map<number, number[]>();
  for (const [index, value] of kept.entries()) {
    const group = alike.get(value);
    if (group) group.push(index);
    else alike.set(value, [index]);
  }
  const values = [...alike.keys()].sort((one, other) => one - other);
  for (const [at, value] of values.entries()) {
    const group = alike.get(value)!;
    if (group.length === 1) continue;
    const shared = logSumExp(
      group.map((index) => row[index]!),
      temperature,
    );
    const mean = temperature * (shared - Math.log(group.length));
    const next = values[at + 1] ?? Number.POSITIVE_INFINITY;
    for (const index of group) if (row[index]! <= next + 2 * tolerance) row[index] = mean;
  }
}
