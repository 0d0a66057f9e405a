import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { hash32 } from "../../../core/random.ts";
import { drawnExamples, rowDependence } from "../../../worker/softtargets/rows.ts";

const classes = 3;

/** A teacher whose logit is a function of the example, its row, and all that is in the batch. */
function pass(logit: (example: number, row: number, all: Uint32Array) => number) {
  return async (examples: Uint32Array) =>
    Float32Array.from({ length: examples.length * classes }, (_, at) => {
      const row = Math.floor(at / classes);
      return logit(examples[row]!, row, examples) + (at % classes);
    });
}

const clean = (example: number) => hash32(example) / 2 ** 20;

test("a teacher whose rows stand by themselves is found so, for any batch and any number of examples", async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 70 }), fc.integer({ min: 1, max: 200 }), async (batch, available) => {
      const inRange = pass((example) => {
        assert.ok(example < available);
        return clean(example);
      });
      assert.equal(await rowDependence(inRange, batch, available), null);
    }),
  );
});

test("any one row that rounds otherwise is found, and named", async () => {
  const row = fc.integer({ min: 2, max: 70 }).chain((batch) => fc.tuple(fc.constant(batch), fc.nat(batch - 1)));
  await fc.assert(
    fc.asyncProperty(row, async ([batch, odd]) => {
      const teacher = pass((example, at) => clean(example) + (at === odd ? 2 ** -9 : 0));
      const why = await rowDependence(teacher, batch, 1000);
      assert.match(why ?? "", new RegExp(`^in a batch of ${batch} the teacher gives other bits for example`));
    }),
  );
});

test("rows that look at their neighbours, at the whole batch or at the padding are found", async () => {
  const neighbour = pass(
    (example, row, all) => clean(example) + (row % 2 === 0 ? clean(all[row + 1] ?? 0) : 0) / 2 ** 9,
  );
  const mean = pass((example, _, all) => clean(example) + all.reduce((sum, each) => sum + clean(each), 0) / 2 ** 9);
  const size = pass((example, _, all) => clean(example) + all.length / 2 ** 9);
  for (const teacher of [neighbour, mean, size])
    assert.match((await rowDependence(teacher, 32, 1000)) ?? "", /other bits/);
});

test("a NaN equals itself, and zeros differ by their sign", async () => {
  assert.equal(
    await rowDependence(
      pass(() => Number.NaN),
      8,
      100,
    ),
    null,
  );
  const signed = async (examples: Uint32Array) => Float32Array.from(examples, (_, row) => (row === 3 ? -0 : 0));
  assert.match((await rowDependence(signed, 8, 100)) ?? "", /row 3/);
});

test("drawn examples are the same for the same id, in [0, 1), and no two of them are alike", () => {
  for (const features of [1, 3, 784, 70_000]) {
    const draw = drawnExamples(features);
    const into = new Float32Array(64 * features);
    draw(
      Uint32Array.from({ length: 64 }, (_, id) => id),
      into,
    );
    assert.ok(into.every((value) => value >= 0 && value < 1));
    const rows = Array.from({ length: 64 }, (_, id) => into.subarray(id * features, (id + 1) * features));
    assert.equal(new Set(rows.map((row) => row.slice(0, 8).join())).size, 64);
    const again = new Float32Array(features);
    draw(Uint32Array.of(5), again);
    assert.deepEqual(again, rows[5]);
  }
});
