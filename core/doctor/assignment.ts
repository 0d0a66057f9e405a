/** The assignment problem: which class of the one stands for which class of the other. */

/**
 * Assigns every row a column of its own so that the sum of the chosen values is greatest, in O(n³) at worst (Kuhn 1955
 * and Munkres 1957, in the form with potentials that adds one row at a time along a shortest path).
 * @param values [n, n], row-major
 * @returns the column of each row
 */
export function bestAssignment(values: Float64Array, n: number): Uint32Array {
  const cost = (row: number, column: number) => -values[(row - 1) * n + column - 1]!;
  // 1-based; row and column 0 stand for "none".
  const rowPotential = new Float64Array(n + 1);
  const columnPotential = new Float64Array(n + 1);
  const rowOf = new Uint32Array(n + 1);
  const before = new Uint32Array(n + 1);
  for (let row = 1; row <= n; row++) {
    const least = new Float64Array(n + 1).fill(Number.POSITIVE_INFINITY);
    const isVisited = new Uint8Array(n + 1);
    rowOf[0] = row;
    let column = 0;
    do {
      isVisited[column] = 1;
      const current = rowOf[column]!;
      let [delta, next] = [Number.POSITIVE_INFINITY, 0];
      for (let each = 1; each <= n; each++) {
        if (isVisited[each]) continue;
        const reduced = cost(current, each) - rowPotential[current]! - columnPotential[each]!;
        if (reduced < least[each]!) {
          least[each] = reduced;
          before[each] = column;
        }
        if (least[each]! < delta) [delta, next] = [least[each]!, each];
      }
      for (let each = 0; each <= n; each++) {
        if (isVisited[each]) {
          rowPotential[rowOf[each]!]! += delta;
          columnPotential[each]! -= delta;
        } else least[each]! -= delta;
      }
      column = next;
    } while (rowOf[column] !== 0);
    // Along the path that was found, every column takes the row of the one before it.
    for (; column !== 0; column = before[column]!) rowOf[column] = rowOf[before[column]!]!;
  }
  const columnOf = new Uint32Array(n);
  for (let column = 1; column <= n; column++) columnOf[rowOf[column]! - 1] = column - 1;
  return columnOf;
}
