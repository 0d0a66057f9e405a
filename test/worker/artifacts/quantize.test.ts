import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, before, beforeEach, test } from "node:test";
import * as tf from "@tensorflow/tfjs";
import { layoutOf } from "../../../core/layout.ts";
import type { ModelArtifact } from "../../../worker/artifacts/model.ts";
import { type QuantizedFormat, saveQuantized } from "../../../worker/artifacts/quantize.ts";
import { readModelFolder, saveLayersModel } from "../../../worker/artifacts/tfjs.ts";
import { loadRead, logitsOf, type Sample, sampleModel } from "./models.ts";

let sample: Sample;
let folder = "";
before(async () => {
  sample = await sampleModel();
});
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "limbeck-quantize-"));
});
afterEach(async () => rm(folder, { recursive: true }));

/** Weights as tfjs decodes them from disk, with the bits per element they were kept in. */
async function decoded(artifact: ModelArtifact, format: QuantizedFormat) {
  await saveQuantized(join(folder, format), artifact, format);
  const { weightSpecs, weightData } = await readModelFolder(join(folder, format));
  const tensors = tf.io.decodeWeights(weightData, weightSpecs as tf.io.WeightsManifestEntry[]);
  return weightSpecs.map(({ name, shape, quantization }) => ({
    name,
    shape,
    quantization,
    values: tensors[name]!.dataSync() as Float32Array,
  }));
}

test("float16: every kernel decodes to the nearest float16, every vector to itself", async () => {
  const original = new Map(sample.model.weights.map((weight) => [weight.originalName, weight.read().dataSync()]));
  const weights = await decoded(sample.artifact, "float16");
  assert.equal(weights.length, original.size);
  for (const { name, shape, quantization, values } of weights) {
    const exact = original.get(name)!;
    assert.equal(quantization?.dtype, shape.length > 1 ? "float16" : undefined);
    values.forEach((value, i) => {
      const step = shape.length > 1 ? Math.max(Math.abs(exact[i]!) * 2 ** -11, 2 ** -25) : 0;
      assert.ok(Math.abs(value - exact[i]!) <= step, `${name}[${i}] ${exact[i]} became ${value}`);
    });
  }
});

test("uint8: no weight of a kernel is off by more than half a step, zero stays zero", async () => {
  const { layout, order, weights } = sample.artifact;
  const holed = { ...sample.artifact, weights: weights.map((value, i) => (i % 7 === 0 ? 0 : value)) };
  assert.equal(order.length, layout.parameters.length);
  for (const { name, shape, quantization, values } of await decoded(holed, "uint8")) {
    const { offset, size } = layout.parameters.find((parameter) => parameter.name === name)!;
    const exact = holed.weights.subarray(offset, offset + size);
    assert.equal(quantization?.dtype, shape.length > 1 ? "uint8" : undefined);
    const span = Math.max(...exact) - Math.min(...exact);
    const bound = shape.length > 1 ? (span / 255 / 2) * (1 + 1e-5) : 0;
    values.forEach((value, i) => {
      assert.ok(Math.abs(value - exact[i]!) <= bound, `${name}[${i}] ${exact[i]} became ${value}`);
      if (exact[i] === 0) assert.equal(value + 0, 0);
    });
  }
});

test("quantised models load in tfjs, predict nearly the same and are smaller", async () => {
  const exact = logitsOf(sample.model);
  const scale = Math.max(...exact.map(Math.abs));
  const whole = await saveLayersModel(join(folder, "float32"), sample.artifact);
  for (const [format, tolerance, ratio] of [
    ["float16", 0.002, 0.65],
    ["uint8", 0.05, 0.5],
  ] as const) {
    const saved = await saveQuantized(join(folder, format), sample.artifact, format);
    assert.ok(saved.bytes < whole.bytes * ratio, `${saved.bytes} of ${whole.bytes}`);
    const logits = logitsOf(await loadRead(await readModelFolder(saved.folder)));
    logits.forEach((logit, i) => {
      assert.ok(Math.abs(logit - exact[i]!) <= tolerance * scale, `${format}: ${exact[i]} became ${logit}`);
    });
  }
});

test("kernels of one value, of one sign, too large or not finite keep their values", async () => {
  const kernels: Record<string, number[]> = {
    same: [0.25, 0.25, 0.25, 0.25],
    zero: [0, 0, 0, 0],
    positive: [1, 2, 128.5, 256],
    negative: [-1, -2, -128.5, -256],
    large: [1e6, -1, 0, 3],
    infinite: [1, Number.POSITIVE_INFINITY, 0, 3],
  };
  const layout = layoutOf(Object.keys(kernels).map((name) => ({ name, shape: [2, 2], trainable: true, decays: true })));
  const weights = Float32Array.from(Object.values(kernels).flat());
  const artifact = { topology: {}, layout, order: Object.keys(kernels), weights };
  for (const { name, values } of await decoded(artifact, "float16")) assert.deepEqual([...values], kernels[name]);
  for (const { name, values } of await decoded(artifact, "uint8")) {
    const step = (Math.max(...kernels[name]!) - Math.min(...kernels[name]!)) / 255;
    values.forEach((value, i) => {
      const exact = kernels[name]![i]!;
      assert.ok(value === exact || Math.abs(value - exact) <= step / 2 + 1e-6, `${name}: ${exact} became ${value}`);
    });
  }
});
