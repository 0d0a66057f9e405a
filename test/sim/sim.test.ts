/** Whole clusters keep every invariant under every fault, and the simulation finds planted bugs. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { severalEvery, simulate } from "./cluster.ts";
import { mutations } from "./mutations.ts";

const seeds = 390;

test(`${seeds} clusters end their jobs with the weights of an undisturbed one`, () => {
  for (let seed = 0; seed < seeds; seed++) {
    const { failure } = simulate(seed);
    if (failure === null) continue;
    const { story } = simulate(seed, { isTold: true });
    assert.fail(`seed ${seed}: ${failure}\n${story.slice(-60).join("\n")}`);
  }
});

test("a seed tells the same story twice, one that fails too", () => {
  const { code } = mutations.find(({ bug }) => bug.startsWith("L7: a worker"))!;
  const failing = Array.from({ length: 200 }, (_, seed) => seed).find(
    (seed) => simulate(seed, { code }).failure !== null,
  );
  assert.ok(failing !== undefined);
  for (const options of [{ isTold: true }, { isTold: true, code }]) {
    const once = simulate(failing, options);
    const again = simulate(failing, options);
    assert.ok(once.story.length > 100);
    assert.deepEqual(again, once);
  }
});

for (const { bug, caught, within, code, several } of mutations) {
  test(`found within ${within} seeds: ${bug}`, () => {
    const failures: string[] = [];
    const [from, stride] = several ? [severalEvery - 1, severalEvery] : [0, 1];
    for (let at = 0; at < within; at++) {
      const { failure } = simulate(from + at * stride, { code, ...(several && { faults: several }) });
      if (failure === null) continue;
      if (caught.test(failure)) return;
      failures.push(failure);
    }
    assert.fail(`not found; what failed was ${failures.join("; ") || "nothing"}`);
  });
}
