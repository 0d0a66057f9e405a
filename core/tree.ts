/**
 * The fixed binary tree over lanes along which lane gradients are summed. Float addition does not associate, so L1
 * holds only if every deal adds in this one order: a worker sums the subtrees it holds whole, and the rest of the
 * tree is added from those partial sums.
 */
import { LimbeckError } from "./errors.ts";

/**
 * Covers leaves [index·2^level, (index+1)·2^level), cut at the last leaf. A node whose right child is empty *is* its
 * left child; only the lower of the two is ever named, so equal nodes have equal fields.
 */
export interface TreeNode {
  readonly level: number;
  readonly index: number;
}

/** The node that covers all of `leaves` ≥ 1 leaves. */
export function rootOf(leaves: number): TreeNode {
  let level = 0;
  while (2 ** level < leaves) level++;
  return { level, index: 0 };
}

/** The fewest nodes that cover exactly [first, first + count), left to right; at most about 2·log2(leaves). */
export function maximalSubtrees(first: number, count: number, leaves: number): TreeNode[] {
  const found: TreeNode[] = [];
  const end = Math.min(first + count, leaves);
  const visit = (node: TreeNode): void => {
    const span = spanOf(node, leaves);
    if (span.end <= first || span.first >= end) return;
    if (span.first >= first && span.end <= end) found.push(node);
    else for (const child of childrenOf(node, leaves)) visit(child);
  };
  visit(rootOf(leaves));
  return found;
}

/**
 * The in-place additions, in order, that leave the sum of `goal` in position 0 of `nodes`.
 * @param nodes cover `goal` exactly, left to right
 * @throws internal where they do not
 */
export function additions(
  nodes: readonly TreeNode[],
  goal: TreeNode,
  leaves: number,
): { readonly into: number; readonly from: number }[] {
  const ordered: { into: number; from: number }[] = [];
  let next = 0;
  /** Adds up to `node`; gives the position its sum lies in. */
  const sum = (node: TreeNode): number => {
    const held = nodes[next];
    if (held?.level === node.level && held.index === node.index) return next++;
    const [left, right] = childrenOf(node, leaves);
    if (!left || !right) {
      throw new LimbeckError("internal", `the sum of tree node ${goal.level}/${goal.index} lacks a part of it`);
    }
    const into = sum(left);
    ordered.push({ into, from: sum(right) });
    return into;
  };
  sum(goal);
  if (next < nodes.length) {
    throw new LimbeckError(
      "internal",
      `${nodes.length - next} partial sums lie outside tree node ${goal.level}/${goal.index}`,
    );
  }
  return ordered;
}

function spanOf({ level, index }: TreeNode, leaves: number): { first: number; end: number } {
  return { first: index * 2 ** level, end: Math.min((index + 1) * 2 ** level, leaves) };
}

/** Both children, none of a leaf. A named node's right child is never empty. */
function childrenOf({ level, index }: TreeNode, leaves: number): TreeNode[] {
  if (level === 0) return [];
  return [2 * index, 2 * index + 1].map((child) => named({ level: level - 1, index: child }, leaves));
}

function named(node: TreeNode, leaves: number): TreeNode {
  let { level, index } = node;
  while (level > 0 && (2 * index + 1) * 2 ** (level - 1) >= leaves) {
    level -= 1;
    index *= 2;
  }
  return { level, index };
}
