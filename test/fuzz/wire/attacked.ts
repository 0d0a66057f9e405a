/** A test's share of the attacks. */
import assert from "node:assert/strict";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { scratchFolder } from "../../e2e/limbeck.ts";
import { fuzz, type targets } from "./fuzz.ts";

/** Of all tests together. */
const seconds = 60;

/** Nothing goes wrong, and no method is left out. */
export async function attacked(t: TestContext, target: keyof typeof targets): Promise<void> {
  const folder = join(await scratchFolder(t), "fuzz");
  const notes: string[] = [];
  const result = await fuzz({ folder, seed: 7, seconds, target, note: (line) => notes.push(line) });
  const { methods, ...figures } = result.targets[target]!;
  t.diagnostic(JSON.stringify(figures));
  for (const [method, { calls }] of Object.entries(methods)) assert.ok(calls > 0, `${method} was not called`);
  assert.ok(figures.answered > 0, "somebody was answered");
  assert.deepEqual(result.wrong, [], notes.join("\n"));
}
