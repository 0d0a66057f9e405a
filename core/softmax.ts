/** What a softmax is made of, in float64 and without overflow: the same bits on every engine. */

/** log Σ exp(value / temperature). */
export function logSumExp(values: ArrayLike<number>, temperature = 1): number {
  let highest = Number.NEGATIVE_INFINITY;
  for (let at = 0; at < values.length; at++) highest = Math.max(highest, values[at]! / temperature);
  if (highest === Number.NEGATIVE_INFINITY) return highest;
  let sum = 0;
  for (let at = 0; at < values.length; at++) sum += Math.exp(values[at]! / temperature - highest);
  return highest + Math.log(sum);
}
