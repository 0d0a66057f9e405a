/** What holds of lane gradients on every engine. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { randomStream } from "../../../core/random.ts";
import { additions, rootOf } from "../../../core/tree.ts";
import type { Engine } from "../../../worker/engine/engine.ts";
import type { Network } from "../../../worker/learn/network.ts";
import { bits, build, gradientOf, hostOf, lanesOf, metricOf, partialsOf, specs } from "./samples.ts";

export function gradientClaims(engine: Engine): void {
  test("eight lanes have one sum, bit for bit, however they are dealt", async () => {
    // The last step of an epoch: full lanes, one smaller, one empty.
    const lanes = lanesOf([4, 4, 4, 4, 4, 4, 3, 0]);
    for (const spec of [specs.mlp, specs.cnn, specs.module]) {
      const network = await build(engine, spec);
      const alone = bits(gradientOf(network, lanes));
      for (const shares of [
        [3, 5],
        [1, 6, 1],
        [1, 1, 1, 1, 1, 1, 1, 1],
      ]) {
        assert.deepEqual(bits(dealt(network, lanes, shares)), alone, `${JSON.stringify(spec)} dealt ${shares}`);
      }
      network.dispose();
    }
  });

  function dealt(network: Network, lanes: ReturnType<typeof lanesOf>, shares: readonly number[]): Float32Array {
    let first = 0;
    const parts = shares.map((count) => {
      const partials = partialsOf(network, lanes, { first, count });
      first += count;
      return partials;
    });
    const { vector, host } = hostOf(network, lanes.length);
    const vectors = parts
      .flatMap(({ held }) => held)
      .map((partial) => {
        const copy = vector();
        copy.set(partial);
        return copy;
      });
    const nodes = parts.flatMap((each) => each.nodes);
    for (const { into, from } of additions(nodes, rootOf(lanes.length), lanes.length))
      host.add(vectors[into]!, vectors[from]!);
    return vectors[0]!;
  }

  test("two lanes sum to what their examples give as one batch", async () => {
    const network = await build(engine, specs.plain);
    const lanes = lanesOf([4, 3]);
    const exact = gradientOf(network, lanes);
    const merged = gradientOf(network, lanes, { merged: true, nodes: [{ level: 0, index: 0 }], leaves: 1 });
    const worst = Math.max(...exact.map((value, at) => Math.abs(value - merged[at]!)));
    assert.ok(worst < 1e-4, `they differ by up to ${worst}`);
    assert.equal(metricOf(merged, "examples"), 7);
    network.dispose();
  });

  for (const name of ["plain", "cnn"] as const) {
    test(`the gradient of a ${name} is the slope of its loss`, async () => {
      const network = await build(engine, specs[name]);
      const lanes = lanesOf([6]);
      const weights = network.initialWeights();
      const gradient = gradientOf(network, lanes).slice(0, network.layout.trainable);
      const length = Math.hypot(...gradient);
      const lossAt = (along: number) => {
        network.setWeights(weights.map((weight, at) => weight + (along * (gradient[at] ?? 0)) / length));
        return metricOf(gradientOf(network, lanes), "loss");
      };
      const slope = (lossAt(0.005) - lossAt(-0.005)) / 0.01;
      assert.ok(Math.abs(slope / length - 1) < 0.02, `slope ${slope}, gradient ${length}`);
      network.dispose();
    });
  }

  test("the metrics are sums over the examples", async () => {
    const network = await build(engine, specs.plain);
    const [lane] = lanesOf([5]);
    const logits = network.logits(lane!.inputs, 5);
    const best = (values: Float32Array, row: number) => {
      const own = values.subarray(row * 3, row * 3 + 3);
      return own.indexOf(Math.max(...own));
    };
    const predicted = [0, 1, 2, 3, 4].map((row) => best(logits, row));
    const gradient = gradientOf(network, [lane!]);
    assert.equal(metricOf(gradient, "examples"), 5);
    assert.equal(metricOf(gradient, "correct"), predicted.filter((each, row) => each === lane!.labels[row]).length);
    assert.equal(
      metricOf(gradient, "agree"),
      predicted.filter((each, row) => each === best(lane!.teacherLogits!, row)).length,
    );
    const whole = 0.4 * metricOf(gradient, "hardLoss") + 0.6 * 4 * metricOf(gradient, "softLoss");
    assert.ok(Math.abs(metricOf(gradient, "loss") - whole) < 1e-4);
    const hard = gradientOf(network, [lane!], { objective: null });
    assert.equal(metricOf(hard, "loss"), metricOf(hard, "hardLoss"));
    assert.equal(metricOf(hard, "softLoss") + metricOf(hard, "agree"), 0);
    network.dispose();
  });

  test("soft targets that are missing are an internal error, not a hard-label step", async () => {
    const network = await build(engine, specs.plain);
    const [lane] = lanesOf([2]);
    assert.throws(() => gradientOf(network, [{ ...lane!, teacherLogits: null }]), {
      code: "internal",
      message: /no soft targets/,
    });
    network.dispose();
  });

  test("training, evaluation and new weights hold a constant number of tensors and bytes (L8)", async () => {
    const held = () => (({ numTensors, numBytes }) => ({ numTensors, numBytes }))(engine.tf.memory());
    const before = held();
    for (const spec of [specs.mlp, specs.cnn, specs.module]) {
      const network = await build(engine, spec);
      const weights = network.initialWeights();
      const lanes = lanesOf([3, 3, 2, 0]);
      const draw = randomStream(3);
      const step = () => {
        network.setWeights(weights.map((weight) => weight + 0.01 * draw()));
        gradientOf(network, lanes);
        gradientOf(network, lanes, { merged: true, nodes: [{ level: 0, index: 0 }], leaves: 1, objective: null });
        network.logits(lanes[0]!.inputs, 3);
      };
      step();
      const first = held();
      for (let again = 0; again < 3; again++) step();
      assert.deepEqual(held(), first);
      network.dispose();
    }
    assert.deepEqual(held(), before, "a network that is disposed of leaves nothing");
  });
}
