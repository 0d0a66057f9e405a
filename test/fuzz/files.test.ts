/** Hostile files of every kind: refused with a sentence, or read as what they say they are. The same inputs every time. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { fuzzed } from "./files/batch.ts";
import { plantedFaults } from "./files/targets/planted.ts";
import { targetNames } from "./files/targets.ts";

/** Of each target, beside those that are written by hand. `npm run fuzz:files` has time for more. */
const generated = 60;

/** An input that shows a fault stays, and the message says where. */
async function outcome(t: TestContext, target: string, count: number) {
  const kept = mkdtempSync(join(tmpdir(), "limbeck-fuzz-"));
  const found = await fuzzed(target, { seed: 1, generated: count, seconds: null, kept });
  if (found.faults.length === 0) t.after(() => rmSync(kept, { recursive: true, force: true }));
  return { ...found, kept };
}

for (const target of targetNames) {
  test(`${target}: what is hostile is refused by name, or is whole`, async (t) => {
    const { faults, inputs, accepted, refused, kept } = await outcome(t, target, generated);
    const told = faults.map(({ input, what }) => `--target ${target} --input ${input}: ${what}`);
    assert.deepEqual(told, [], `the inputs are kept in ${kept}`);
    assert.equal(accepted + refused, inputs);
    assert.ok(
      accepted > 0 && refused > 0,
      `${accepted} accepted and ${refused} refused: one of the two is never tried`,
    );
  });
}

test("faults that are planted are found, each at its input, and the others go on after a process that died", async (t) => {
  const { faults, kept } = await outcome(t, "planted", 3);
  t.after(() => rmSync(kept, { recursive: true, force: true }));
  assert.deepEqual(
    faults.map(({ input }) => plantedFaults[input]),
    plantedFaults,
  );
});
