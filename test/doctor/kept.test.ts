/** What top-k kept is compared with all logits: near ties fall as they may, and whatever is really another is found. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { differenceOfKept } from "../../core/doctor/kept.ts";
import { randomStream } from "../../core/random.ts";
import { decodeLogits, encodeLogits, type LogitsFormat } from "../../worker/softtargets/format.ts";

const [examples, classes, temperature] = [16, 12, 4];
const ids = Uint32Array.from({ length: examples }, (_, at) => at);
const through = (logits: Float32Array, asked: LogitsFormat) => {
  const { format, bytes } = encodeLogits(logits, classes, asked);
  return decodeLogits(bytes, format, { examples, classes });
};
const answer = (logits: Float32Array) => ({ from: "teacher-1", examples: ids, logits });
const kept = (logits: Float32Array, k: number) => answer(through(logits, { kind: "topk", k, temperature }));
const full = (logits: Float32Array) => answer(through(logits, { kind: "float16" }));
const differ = (one: ReturnType<typeof answer>, other: ReturnType<typeof answer>) =>
  differenceOfKept(one, other, { classes, temperature });

test("equal teachers agree whatever they kept, with logits that are near ties, exact ties, or too large for float16", () => {
  const draw = randomStream(3, 1);
  const shapes: Readonly<Record<string, () => number>> = {
    spread: () => 40 * draw() - 20,
    ties: () => Math.floor(4 * draw()),
    nearTies: () => Math.floor(4 * draw()) + 1e-3 * draw(),
    large: () => (draw() < 0.1 ? 1e5 : 20 * draw()),
  };
  for (const [name, drawn] of Object.entries(shapes)) {
    for (const k of [1, 3, classes - 1, classes, 2 * classes]) {
      for (let round = 0; round < 50; round++) {
        const logits = Float32Array.from({ length: examples * classes }, drawn);
        const again = logits.map((value) => value * (1 + 2e-4 * (draw() - 0.5)));
        assert.equal(differ(kept(logits, k), full(again)), null, `${name}, ${k} kept, round ${round}`);
      }
    }
  }
});

test("the row of another example, a class too many or too few, and another tail are differences", () => {
  const draw = randomStream(5, 1);
  const logits = Float32Array.from({ length: examples * classes }, () => 20 * draw() - 10);
  const given = kept(logits, 3);
  const rolled = logits.map((_, at) => logits[(at + classes) % logits.length]!);
  assert.ok(differ(given, full(rolled)));
  const changed = (at: number, to: number) => full(logits.with(at, to));
  const row = logits.subarray(0, classes);
  const order = [...row.keys()].sort((one, other) => row[other]! - row[one]!);
  assert.ok(differ(given, changed(order[0]!, row[order[0]!]! - 1)), "what was kept is another");
  const risen = differ(given, changed(order.at(-1)!, row[order[0]!]! + 1));
  assert.equal(risen?.class, order.at(-1), "what was not kept should have been");
  const lower = logits.slice();
  for (const index of order.slice(3)) lower[index] = row[index]! - 2;
  assert.ok(differ(given, full(lower)), "the mass of the tail is another");
});
