import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { deal } from "../../core/deal.ts";
import { additions, maximalSubtrees, rootOf, type TreeNode } from "../../core/tree.ts";

const leafCounts = fc.integer({ min: 1, max: 64 });
const leavesOf = ({ level, index }: TreeNode, leaves: number) =>
  Array.from(
    { length: Math.min((index + 1) * 2 ** level, leaves) - index * 2 ** level },
    (_, i) => index * 2 ** level + i,
  );

/** Adds values in place as ordered, in float32; position 0 holds the sum. */
function summed(values: readonly number[], nodes: readonly TreeNode[], goal: TreeNode, leaves: number): number {
  const held = Float32Array.from(values);
  for (const { into, from } of additions(nodes, goal, leaves)) held[into]! += held[from]!;
  return held[0]!;
}

/** As a worker does: leaves [first, first + count) down to one partial per maximal subtree. */
function partials(values: readonly number[], first: number, count: number): { node: TreeNode; sum: number }[] {
  return maximalSubtrees(first, count, values.length).map((node) => {
    const leaves = leavesOf(node, values.length);
    const nodes = leaves.map((index) => ({ level: 0, index }));
    return {
      node,
      sum: summed(
        leaves.map((leaf) => values[leaf]!),
        nodes,
        node,
        values.length,
      ),
    };
  });
}

/** Straight from the definition: left plus right, an absent right leaves the left as it is. */
function defined(values: readonly number[], { level, index }: TreeNode): number {
  if (level === 0) return Math.fround(values[index]!);
  const left = defined(values, { level: level - 1, index: 2 * index });
  if ((2 * index + 1) * 2 ** (level - 1) >= values.length) return left;
  return Math.fround(left + defined(values, { level: level - 1, index: 2 * index + 1 }));
}

test("L1: any deal gives the bits of the tree's definition, so the same bits for one worker and for many", () => {
  const value = fc.float({ noNaN: true, min: -1000, max: 1000 });
  const lanes = fc.array(value, { minLength: 1, maxLength: 64 });
  const weights = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(lanes, weights, (values, given) => {
      const workers = given.slice(0, values.length).map((weight, at) => ({ name: `w${at}`, weight }));
      const held = deal(values.length, workers).flatMap(({ firstLane, lanes }) => partials(values, firstLane, lanes));
      const nodes = held.map(({ node }) => node);
      const sums = held.map(({ sum }) => sum);
      const sum = summed(sums, nodes, rootOf(values.length), values.length);
      assert.ok(Object.is(sum, defined(values, rootOf(values.length))), `${sum}`);
    }),
    { numRuns: 500 },
  );
});

test("these values would show another order of adding", () => {
  const values = [1e8, ...Array.from({ length: 15 }, () => 1)];
  const inOrder = values.reduce((sum, value) => Math.fround(sum + value), 0);
  assert.notEqual(defined(values, rootOf(values.length)), inOrder);
});

test("maximal subtrees cover a range exactly, in order, and no fewer nodes could", () => {
  fc.assert(
    fc.property(leafCounts, fc.nat(), fc.nat(), (leaves, a, b) => {
      const first = a % leaves;
      const count = 1 + (b % (leaves - first));
      const nodes = maximalSubtrees(first, count, leaves);
      const covered = nodes.flatMap((node) => leavesOf(node, leaves));
      assert.deepEqual(
        covered,
        Array.from({ length: count }, (_, i) => first + i),
      );
      assert.ok(nodes.length <= Math.max(1, 2 * Math.ceil(Math.log2(leaves))));
      // Every node that lies in the range lies in one of the chosen: none can be joined into a larger one.
      for (let level = 0; level <= rootOf(leaves).level; level++) {
        for (let index = 0; index * 2 ** level < leaves; index++) {
          const span = leavesOf({ level, index }, leaves);
          if (span[0]! < first || span.at(-1)! >= first + count) continue;
          assert.ok(nodes.some((node) => span.every((leaf) => leavesOf(node, leaves).includes(leaf))));
        }
      }
    }),
  );
});

test("an aligned deal of a power of two needs one partial per worker", () => {
  assert.deepEqual(maximalSubtrees(4, 4, 8), [{ level: 2, index: 1 }]);
  assert.deepEqual(maximalSubtrees(0, 8, 8), [{ level: 3, index: 0 }]);
});

test("a node that is cut to its left child is named as that child", () => {
  assert.deepEqual(rootOf(1), { level: 0, index: 0 });
  assert.deepEqual(maximalSubtrees(4, 1, 5), [{ level: 0, index: 4 }]);
  assert.deepEqual(maximalSubtrees(4, 2, 6), [{ level: 1, index: 2 }]);
  assert.deepEqual(maximalSubtrees(0, 5, 5), [{ level: 3, index: 0 }]);
  assert.deepEqual(maximalSubtrees(4, 3, 7), [{ level: 2, index: 1 }]);
});

test("partials that do not make up the goal are refused", () => {
  const leaf = (index: number) => ({ level: 0, index });
  assert.throws(() => additions([leaf(0), leaf(2)], rootOf(3), 3), /lacks a part/);
  assert.throws(() => additions([leaf(0), leaf(1), leaf(2)], { level: 1, index: 0 }, 3), /outside/);
  assert.throws(() => additions([leaf(1), leaf(0)], rootOf(2), 2), /lacks a part/);
});
