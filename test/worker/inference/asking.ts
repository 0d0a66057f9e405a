/** Opens teachers as a worker does, for the tests of every kind: one small model and pictures whose sides all differ. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { teacher } from "../../../core/jobteacher.ts";
import { saveLayersModel } from "../../../worker/artifacts/tfjs.ts";
import type { Engine } from "../../../worker/engine/engine.ts";
import { openModel } from "../../../worker/inference/open.ts";
import { Network } from "../../../worker/learn/network.ts";
import { openEngine } from "../learn/engines.ts";
import { build, scratchFolder } from "../learn/samples.ts";
import { logitsOf, perceptron, pictures } from "./perceptron.ts";

export const shape = [4, 5, 2] as const;
export const [features, classes, count] = [40, 3, 6];
export const model = perceptron(5, features, classes);
export const examples = pictures(count, shape);
export const temperature = 4;
const opened = await openEngine("auto");
if (typeof opened === "string") throw new Error(opened);
export const engine: Engine = opened;

/** @param spec as a user may write it */
export function open(
  spec: unknown,
  rest: { inputShape?: readonly number[]; classes?: number; jobFolder?: string; on?: Engine } = {},
) {
  const { on = engine, ...given } = rest;
  const request = { inputShape: shape, classes, seed: 1, jobFolder: "/", role: "teacher", temperature, ...given };
  return openModel(on, { ...request, spec: teacher.parse(spec) });
}

export async function asked(spec: unknown, inputs = examples.nhwc): Promise<{ logits: Float32Array; sha256: string }> {
  const found = await open(spec);
  assert.ok(!(found instanceof Network));
  try {
    return { logits: await found.logits(inputs, count), sha256: found.sha256 };
  } finally {
    await found.dispose();
  }
}

export function assertClose(found: ArrayLike<number>, expected: ArrayLike<number>, tolerance = 1e-5): void {
  assert.equal(found.length, expected.length);
  for (let at = 0; at < found.length; at++) {
    const off = Math.abs(found[at]! - expected[at]!);
    assert.ok(off <= tolerance, `value ${at} is ${found[at]}, should be ${expected[at]}`);
  }
}

export function written(name: string, bytes: Uint8Array): string {
  const path = join(scratchFolder(), name);
  writeFileSync(path, bytes);
  return path;
}

/** Refused with this text, and no tensor left behind. */
export async function refused(
  spec: unknown,
  message: RegExp,
  rest: Parameters<typeof open>[1] = {},
  code = "bad_model",
) {
  const { tf } = rest.on ?? engine;
  const before = tf.memory().numTensors;
  await assert.rejects(open(spec, rest), (thrown: { code: string; message: string }) => {
    assert.match(thrown.message, message);
    assert.equal(thrown.code, code, thrown.message);
    assert.doesNotMatch(thrown.message, /\n/);
    return true;
  });
  assert.equal(tf.memory().numTensors, before, "tensors that are left");
}

/** The reference: of the examples as they are, and channels first. */
export const reference = { nhwc: logitsOf(model, examples.nhwc, count), nchw: logitsOf(model, examples.nchw, count) };

/** Shape of ONNX inputs: as the examples are, and channels first. */
export const any = ["batch", ...shape];
export const first = ["batch", 2, 4, 5];

/** A LayersModel in a folder of its own, and its logits of the examples. */
export async function layersModel(): Promise<{ folder: string; logits: Float32Array }> {
  const folder = join(scratchFolder(), "layers");
  const network = await build(engine, { kind: "mlp", widths: [5] }, { inputShape: shape });
  const { layout, order } = network;
  await saveLayersModel(folder, { topology: network.topology(), layout, order, weights: network.initialWeights() });
  const logits = network.logits(examples.nhwc, count);
  network.dispose();
  return { folder, logits };
}
