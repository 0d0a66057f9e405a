import assert from "node:assert/strict";
import { test } from "node:test";
import { layoutOf, metricCount } from "../../core/layout.ts";

test("trainable weights lie first, the others after them, each part in the model's order", () => {
  const layout = layoutOf([
    { name: "kernel", shape: [3, 4], trainable: true, decays: true },
    { name: "mean", shape: [4], trainable: false, decays: false, averagingMomentum: 0.99 },
    { name: "scale", shape: [4], trainable: true, decays: false },
    { name: "constant", shape: [], trainable: false, decays: false },
  ]);
  assert.deepEqual(
    layout.parameters.map(({ name, offset, size }) => [name, offset, size]),
    [
      ["kernel", 0, 12],
      ["scale", 12, 4],
      ["mean", 16, 4],
      ["constant", 20, 1],
    ],
  );
  assert.deepEqual([layout.trainable, layout.weights, layout.gradient], [16, 21, 21 + metricCount]);
  assert.equal(layout.parameters[2]!.averagingMomentum, 0.99);
});
