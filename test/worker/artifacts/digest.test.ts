import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { LimbeckError } from "../../../core/errors.ts";
import { layoutOf } from "../../../core/layout.ts";
import { weightsSha256 } from "../../../worker/artifacts/digest.ts";

// In the layout: [a, c | b]; in the model: a, b, c.
const layout = layoutOf([
  { name: "a", shape: [2], trainable: true, decays: true },
  { name: "b", shape: [1], trainable: false, decays: false },
  { name: "c", shape: [1, 2], trainable: true, decays: false },
]);

test("weights are hashed in the model's own order, as little-endian float32, also from shared memory", () => {
  const shared = new Float32Array(new SharedArrayBuffer(20));
  shared.set([1, 2, 5, 6, 3]);
  const bytes = Buffer.alloc(20);
  [1, 2, 3, 5, 6].forEach((value, i) => void bytes.writeFloatLE(value, 4 * i));
  const expected = createHash("sha256").update(bytes).digest("hex");
  assert.equal(weightsSha256(["a", "b", "c"], layout, shared), expected);
  assert.notEqual(weightsSha256(["a", "c", "b"], layout, shared), expected);
});

test("an order or vector that does not fit the layout is refused", () => {
  for (const order of [
    ["a", "b"],
    ["a", "b", "x"],
  ]) {
    assert.throws(() => weightsSha256(order, layout, new Float32Array(5)), LimbeckError);
  }
  assert.throws(() => weightsSha256(["a", "b", "c"], layout, new Float32Array(6)), LimbeckError);
});
