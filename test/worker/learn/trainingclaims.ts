/** What holds of dropout and batch norm in training on every engine. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Engine } from "../../../worker/engine/engine.ts";
import { bits, build, buildModule, gradientOf, lanesOf, part, specs } from "./samples.ts";

export function trainingClaims(engine: Engine): void {
  test("dropout is a function of seed, step and lane", async () => {
    const network = await build(engine, specs.mlp);
    const [lane] = lanesOf([4]);
    const at = (key: { seed?: number; step?: number; lane?: number }) => {
      const { lane: number = 0, ...rest } = key;
      const merged = { merged: true, nodes: [{ level: 0, index: 0 }], leaves: 1 };
      return bits(gradientOf(network, [{ ...lane!, lane: number }], { ...merged, ...rest }));
    };
    const first = at({});
    assert.deepEqual(at({}), first);
    for (const other of [{ lane: 1 }, { step: 5 }, { seed: 8 }])
      assert.notDeepEqual(at(other), first, JSON.stringify(other));
    network.dispose();
  });

  test("dropout leaves out its rate of the inputs and scales up the rest; inference drops nothing", async () => {
    const network = await build(engine, { kind: "mlp", widths: [], dropout: { input: 0.25 } }, { inputShape: [800] });
    const ones = {
      lane: 0,
      examples: 1,
      inputs: new Float32Array(800).fill(1),
      labels: new Int32Array(1),
      teacherLogits: null,
    };
    // With one example the kernel's gradient is the outer product of its input and the logits' gradient.
    const gradient = gradientOf(network, [ones], { objective: null });
    const bias = part(network, gradient, "logits/bias")[0]!;
    const seen = part(network, gradient, "logits/kernel").filter((_, index) => index % 3 === 0);
    const inputs = seen.map((value) => value / bias);
    const dropped = inputs.filter((input) => input === 0).length;
    assert.ok(Math.abs(dropped / 800 - 0.25) < 0.05, `${dropped} of 800 dropped`);
    assert.ok(inputs.every((input) => input === 0 || Math.abs(input - 4 / 3) < 1e-5));
    assert.deepEqual(network.logits(ones.inputs, 1), network.logits(ones.inputs, 1));
    network.dispose();
  });

  const normalised =
    "return tf.sequential({ layers: [tf.layers.batchNormalization({ name: 'norm', inputShape, momentum: 0.9, FROZEN }), tf.layers.dense({ name: 'logits', units: classes })] });";

  test("batch norm hands its statistics to the gradient vector and changes no weight itself", async () => {
    const network = await buildModule(engine, normalised.replace("FROZEN", ""), { inputShape: [2] });
    const weights = network.initialWeights();
    const inputs = Float32Array.of(1, 10, 2, 20, 6, 60);
    const lane = { lane: 0, examples: 3, inputs, labels: Int32Array.of(0, 1, 2), teacherLogits: null };
    const gradient = gradientOf(network, [lane], { objective: null });
    // Means 3 and 30, biased variances 14/3 and 1400/3, each times 3 examples.
    const near = (name: string, expected: number[]) => {
      const actual = part(network, gradient, name);
      const worst = Math.max(...actual.map((value, at) => Math.abs(value / expected[at]! - 1)));
      assert.ok(worst < 1e-4, `${name}: [${actual}] is not [${expected}]`);
    };
    near("norm/moving_mean", [9, 90]);
    near("norm/moving_variance", [14, 1400]);
    assert.deepEqual(network.initialWeights(), weights);
    const momenta = network.layout.parameters.map(({ averagingMomentum }) => averagingMomentum);
    assert.deepEqual(momenta, [undefined, undefined, undefined, undefined, 0.9, 0.9]);
    network.dispose();
  });

  test("inference normalises by the moving averages", async () => {
    const network = await buildModule(engine, normalised.replace("FROZEN", ""), { inputShape: [2] });
    const weights = network.initialWeights();
    const mean = network.layout.parameters.find(({ name }) => name === "norm/moving_mean")!;
    const inputs = Float32Array.of(0.5, -1);
    const centred = network.logits(new Float32Array(2), 1);
    weights.set(inputs, mean.offset);
    network.setWeights(weights);
    assert.deepEqual(network.logits(inputs, 1), centred);
    network.dispose();
  });

  test("a frozen batch norm uses its moving averages in training too, and averages nothing", async () => {
    const network = await buildModule(engine, normalised.replace("FROZEN", "trainable: false"), { inputShape: [2] });
    const lane = { lane: 0, examples: 1, inputs: Float32Array.of(5, 5), labels: Int32Array.of(0), teacherLogits: null };
    const gradient = gradientOf(network, [lane], { objective: null });
    assert.deepEqual([...part(network, gradient, "norm/moving_mean")], [0, 0]);
    // A single example normalised by itself would be 0, and so would the kernel's gradient.
    assert.ok(part(network, gradient, "logits/kernel").every((value) => value !== 0));
    assert.ok(network.layout.parameters.every(({ averagingMomentum }) => averagingMomentum === undefined));
    network.dispose();
  });
}
