import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { FetchAhead, type FetchAheadSource } from "../../../worker/softtargets/fetchahead.ts";

const classes = 2;
const examplesOf = (step: number) => ({
  epoch: step >> 2,
  parts: [Uint32Array.of(step), Uint32Array.of(), Uint32Array.of(step, 1)],
});

function source(changes: Partial<FetchAheadSource> = {}) {
  const asked: { step: number; epoch: number; spareMs: number }[] = [];
  const request = async (examples: Uint32Array, epoch: number, spareMs: number) => {
    asked.push({ step: examples[0]!, epoch, spareMs });
    return new Float32Array(examples.length * classes).fill(examples[0]!);
  };
  return {
    asked,
    given: { examplesOf, request, latencyMs: () => null, bytesPerExample: 4 * classes, maxBytes: 1e6, ...changes },
  };
}

const steps = (asked: readonly { step: number }[]) => [...new Set(asked.map(({ step }) => step))];

test("steps are asked for ahead, each once, and handed over in their order", async () => {
  const { asked, given } = source();
  const ahead = new FetchAhead(given, { from: 5, steps: 12 });
  assert.deepEqual(steps(asked), [5, 6, 7]);
  for (let step = 5; step < 12; step++) {
    const parts = await Promise.all(ahead.take(step));
    assert.deepEqual(
      parts.map(({ length }) => length),
      [2, 0, 4],
    );
    assert.ok(parts.every((logits) => logits.every((value) => value === step)));
  }
  assert.deepEqual(steps(asked), [5, 6, 7, 8, 9, 10, 11]);
  assert.equal(asked.length, 14, "a part without examples asks nobody");
  assert.ok(asked.every(({ step, epoch }) => epoch === step >> 2));
});

test("the slower the answers and the quicker the steps, the further ahead", async () => {
  let latencyMs = 400;
  const { asked, given } = source({ latencyMs: () => latencyMs });
  const ahead = new FetchAhead(given, { from: 0, steps: 1_000 });
  for (let step = 0; step < 20; step++) {
    ahead.take(step);
    await setTimeout(10);
  }
  const far = steps(asked).length - 20;
  assert.ok(far > 20 && far < 45, `${far} steps ahead where an answer takes 40 of them`);
  assert.ok(asked.at(-1)!.spareMs > 150, "what is far ahead has time");
  latencyMs = 1;
  for (let step = 20; step < 60; step++) {
    ahead.take(step);
    await setTimeout(10);
  }
  assert.ok(steps(asked).length <= 60 + 3, "no further than is of use");
});

test("bytes bound it, but the step that is needed is always asked for", () => {
  const { asked, given } = source({ maxBytes: 30 });
  const ahead = new FetchAhead(given, { from: 0, steps: 10 });
  // 24 bytes a step: the second passes the bound, the third would begin beyond it.
  assert.deepEqual(steps(asked), [0, 1]);
  ahead.take(0);
  assert.deepEqual(steps(asked), [0, 1, 2]);
  const tight = source({ maxBytes: 1 });
  const bound = new FetchAhead(tight.given, { from: 0, steps: 10 });
  for (let step = 0; step < 10; step++) assert.equal(bound.take(step).length, 3);
  assert.deepEqual(steps(tight.asked).length, 10);
});

test("a failure is thrown to whoever takes the step, and to nobody else", async () => {
  const { given } = source({
    request: async (examples) => {
      if (examples[0] === 1) throw new Error("no");
      return new Float32Array(examples.length * classes);
    },
  });
  const ahead = new FetchAhead(given, { from: 0, steps: 3 });
  await Promise.all(ahead.take(0));
  await setTimeout(5);
  await assert.rejects(Promise.all(ahead.take(1)), { message: "no" });
  await Promise.all(ahead.take(2));
});
