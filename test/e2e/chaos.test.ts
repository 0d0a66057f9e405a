/** A short chaos run: real processes, a fixed seed, and the bits of an undisturbed run at the end. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { chaos, isRight } from "../chaos/chaos.ts";
import { scratchFolder, waiting } from "./limbeck.ts";

test("killed, frozen, cut off, added: every example counts once and the weights are the undisturbed run's (L1, L2)", async (t) => {
  const folder = join(await scratchFolder(t), "chaos");
  const notes: string[] = [];
  const note = (line: string) => void notes.push(line);
  const timing = { durationMs: 20_000, everyMs: 4_000 };
  const result = await chaos({ folder, seed: 2356, ...timing, steps: 150, settings: [`student=${waiting}`], note });
  t.diagnostic(JSON.stringify(result));
  assert.ok(isRight(result), `${notes.join("\n")}\n${JSON.stringify(result)}`);
  assert.deepEqual(result.surprises, []);
  // A fast machine may be done before the last of: coordinator killed, student added, one frozen, one killed, one cut off.
  assert.ok(Object.keys(result.faults).length >= 2, JSON.stringify(result.faults));
});
