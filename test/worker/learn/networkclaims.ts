/** What holds of building, loading and describing networks on every engine. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { weightsSha256 } from "../../../worker/artifacts/digest.ts";
import { saveLayersModel } from "../../../worker/artifacts/tfjs.ts";
import type { Engine } from "../../../worker/engine/engine.ts";
import type { Network } from "../../../worker/learn/network.ts";
import { bits, build, lanesOf, scratchFolder, specs } from "./samples.ts";

export function networkClaims(engine: Engine): void {
  test("equal seeds give equal networks, however often they are built, in every process and on every engine (L1)", async () => {
    const expected = {
      mlp: "69f9472f9331f49c6293dafd33e32398b0868167a61c449e73b7be9006c31c9d",
      cnn: "5999585029e3e3cd24b7d73a8bdd44657d04815f4ad432d07d43a28a1e39bff7",
      module: "e80f4b1670b1e6b686a7f8bf79192c1ff1e81cc3c3d28ff983960c55bad90b64",
    };
    for (const [name, sha256] of Object.entries(expected)) {
      const spec = specs[name as keyof typeof expected];
      const [first, again, other] = [
        await build(engine, spec),
        await build(engine, spec),
        await build(engine, spec, { seed: 8 }),
      ];
      const digest = (network: Network) => weightsSha256(network.order, network.layout, network.initialWeights());
      assert.equal(digest(first), sha256, name);
      assert.equal(digest(again), sha256);
      assert.notEqual(digest(other), sha256);
      assert.deepEqual(again.layout, first.layout);
      assert.deepEqual(again.order, first.order);
      assert.deepEqual(again.topology(), first.topology());
      for (const network of [first, again, other]) network.dispose();
    }
  });

  test("the layout says what trains, decays and is bounded", async () => {
    const network = await build(engine, specs.module);
    const described = network.layout.parameters.map(({ name, trainable, decays, maxNorm, averagingMomentum }) =>
      [name, trainable, decays, maxNorm, averagingMomentum].filter((each) => each !== undefined).join(" "),
    );
    assert.deepEqual(described, [
      "dense_Dense1/kernel true true 1.5",
      "dense_Dense1/bias true false",
      "batch_normalization_BatchNormalization1/gamma true false",
      "batch_normalization_BatchNormalization1/beta true false",
      "dense_Dense3/kernel true true",
      "dense_Dense3/bias true false",
      "batch_normalization_BatchNormalization1/moving_mean false false 0.9",
      "batch_normalization_BatchNormalization1/moving_variance false false 0.9",
      "dense_Dense2/kernel false false",
      "dense_Dense2/bias false false",
    ]);
    network.dispose();
    const mlp = await build(engine, specs.mlp);
    assert.deepEqual(
      mlp.layout.parameters.map(({ maxNorm }) => maxNorm),
      [2, undefined, 2, undefined, undefined, undefined],
    );
    mlp.dispose();
  });

  for (const name of ["mlp", "cnn", "module"] as const) {
    test(`a saved ${name} loads with the same bits and the same logits`, async () => {
      const network = await build(engine, specs[name]);
      // Far above its max-norm, which loading must not enforce.
      const weights = network.initialWeights().map((weight) => 3 * weight + 0.1);
      network.setWeights(weights);
      const { layout, order } = network;
      const folder = join(scratchFolder(), "model");
      await saveLayersModel(folder, { topology: network.topology(), layout, order, weights });
      const loaded = await build(engine, { load: folder });
      assert.deepEqual(loaded.layout, layout);
      assert.deepEqual(bits(loaded.initialWeights()), bits(weights));
      const [lane] = lanesOf([4]);
      assert.deepEqual(loaded.logits(lane!.inputs, 4), network.logits(lane!.inputs, 4));
      network.dispose();
      loaded.dispose();
    });
  }

  for (const [ending, layers] of [
    ["an activation", "activation"],
    ["a softmax layer", "softmax"],
    ["a softmax of its last dense layer", "dense"],
  ] as const) {
    test(`a loaded model that ends in ${ending} gives its logits`, async () => {
      const { tf } = engine;
      const network = await build(engine, specs.plain);
      const logits = network.logits(lanesOf([2])[0]!.inputs, 2);
      const { layout, order } = network;
      const topology = structuredClone(network.topology()) as {
        config: { layers: { config: { activation?: string } }[] };
      };
      const softmax = { activation: tf.layers.activation({ activation: "softmax" }), softmax: tf.layers.softmax({}) };
      if (layers === "dense") topology.config.layers.at(-1)!.config.activation = "softmax";
      else
        topology.config.layers.push({
          class_name: softmax[layers].getClassName(),
          config: softmax[layers].getConfig(),
        } as never);
      const folder = join(scratchFolder(), "model");
      await saveLayersModel(folder, { topology, layout, order, weights: network.initialWeights() });
      const loaded = await build(engine, { load: folder });
      assert.deepEqual(loaded.logits(lanesOf([2])[0]!.inputs, 2), logits);
      network.dispose();
      loaded.dispose();
    });
  }

  test("weights of another length are refused", async () => {
    const network = await build(engine, specs.plain);
    assert.throws(() => network.setWeights(new Float32Array(3)), { code: "internal", message: /3 weights/ });
    network.dispose();
  });
}
