/** Models that are refused, each with one clear sentence. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Engine } from "../../../worker/engine/engine.ts";
import type { Network } from "../../../worker/learn/network.ts";
import { build, buildModule, buildSource } from "./samples.ts";

export function refusalClaims(engine: Engine): void {
  function refused(what: string, attempt: () => Promise<Network>, message: RegExp): void {
    test(`refused: ${what}`, async () => {
      const before = engine.tf.memory().numTensors;
      await assert.rejects(attempt, (thrown: { code: string; message: string }) => {
        assert.equal(thrown.code, "bad_model", thrown.message);
        assert.match(thrown.message, message);
        assert.doesNotMatch(thrown.message, /\n/);
        return true;
      });
      // tfjs itself never frees the states of a stateful layer.
      const left = engine.tf.memory().numTensors - before;
      assert.ok(left === 0 || what === "a layer with a state", `a refused model leaves ${left} tensors`);
    });
  }
  const layers = (...between: string[]) =>
    `return tf.sequential({ layers: [tf.layers.flatten({ inputShape }), ${between.map((layer) => `${layer}, `).join("")}tf.layers.dense({ units: classes })] });`;

  const mlp = { kind: "mlp", widths: [4] };
  refused(
    "other classes than the dataset",
    () => build(engine, { ...mlp, classes: 5 }, { role: "teacher" }),
    /^the teacher has 5 classes, the dataset 3$/,
  );
  refused(
    "a cnn without images",
    () => build(engine, { kind: "cnn", blocks: [{ filters: 2 }] }, { inputShape: [36] }),
    /cnn needs images .* \[36\]/,
  );
  refused(
    "a cnn that pools its pictures away",
    () => build(engine, { kind: "cnn", blocks: [{ filters: 2, pool: 4 }, { filters: 2 }] }),
    /block 2 of cnn pools 2 by 2 what is only 1/,
  );
  refused("a model that is not there", () => build(engine, { load: "nowhere" }), /nowhere.*no such file/);

  refused(
    "a module that is not there",
    () => build(engine, { module: "nowhere.ts" }),
    /there is no model module .*nowhere\.ts/,
  );
  refused(
    "a module that throws",
    () => buildModule(engine, "throw new Error('no\\nluck')"),
    /made\.ts threw: no luck$/,
  );
  refused(
    "a module that throws on import",
    () => buildSource(engine, "throw new Error('at once');"),
    /made\.ts cannot be imported: at once$/,
  );
  refused(
    "a module that is not TypeScript",
    () => buildSource(engine, "export default (=> 1"),
    /made\.ts cannot be imported: .*ERROR/,
  );
  refused(
    "a module without a default export",
    () => buildSource(engine, "export const model = 1;"),
    /made\.ts has no default export/,
  );
  refused(
    "a module that returns something else",
    () => buildModule(engine, "return { layers: [] }"),
    /made\.ts returned a Object, not a tf\.LayersModel/,
  );
  refused("a module that returns nothing", () => buildModule(engine, ""), /made\.ts returned undefined/);
  refused(
    "a module whose model ends in a softmax",
    () => buildModule(engine, `${layers().replace("units: classes", "units: classes, activation: 'softmax'")}`),
    /made\.ts ends in a softmax/,
  );

  refused(
    "another input shape",
    () =>
      buildModule(engine, "return tf.sequential({ layers: [tf.layers.dense({ units: classes, inputShape: [36] })] });"),
    /takes examples of shape \[36\], those of the dataset are \[6, 6, 1\]/,
  );
  refused(
    "an output that is not one vector",
    () => buildModule(engine, "return tf.sequential({ layers: [tf.layers.dense({ units: classes, inputShape })] });"),
    /gives \[6, 6, 3\] per example, logits \[3\] are needed/,
  );
  refused(
    "a regularizer",
    () => buildModule(engine, layers("tf.layers.dense({ units: 4, kernelRegularizer: 'l1l2' })")),
    /use weightDecay/,
  );
  refused(
    "a constraint other than max-norm",
    () => buildModule(engine, layers("tf.layers.dense({ units: 4, kernelConstraint: 'unitNorm' })")),
    /constraint UnitNorm, only MaxNorm/,
  );
  refused(
    "max-norm over the wrong axis",
    () =>
      buildModule(
        engine,
        layers("tf.layers.dense({ units: 4, kernelConstraint: tf.constraints.maxNorm({ axis: 1 }) })"),
      ),
    /over axes \[1\].* axes \[0\]/,
  );
  refused(
    "noise that is not seeded",
    () => buildModule(engine, layers("tf.layers.gaussianNoise({ name: 'noise', stddev: 1 })")),
    /layer noise of the student draws random numbers/,
  );
  refused(
    "recurrent dropout",
    () =>
      buildModule(
        engine,
        layers(
          "tf.layers.reshape({ targetShape: [6, 6] })",
          "tf.layers.gru({ name: 'memory', units: 3, recurrentDropout: 0.5 })",
        ),
      ),
    /layer memory of the student draws random numbers/,
  );
  refused(
    "a layer with a state",
    () =>
      buildModule(
        engine,
        "return tf.sequential({ layers: [tf.layers.simpleRNN({ units: classes, stateful: true, batchInputShape: [4, 6, 6] })] });",
        { inputShape: [6, 6] },
      ),
    /keeps a state between batches/,
  );
  refused(
    "batch norm over another axis",
    () =>
      buildModule(
        engine,
        `return tf.sequential({ layers: [tf.layers.batchNormalization({ inputShape, axis: 1 }), tf.layers.flatten(), tf.layers.dense({ units: classes })] });`,
      ),
    /normalises axis 1, only the last axis/,
  );
  refused(
    "batch norm that is used twice",
    () =>
      buildModule(
        engine,
        "const input = tf.input({ shape: inputShape }); const norm = tf.layers.batchNormalization({ name: 'norm' }); const flat = tf.layers.flatten().apply(norm.apply(norm.apply(input))); return tf.model({ inputs: input, outputs: tf.layers.dense({ units: classes }).apply(flat) });",
      ),
    /layer norm is used twice/,
  );
}
