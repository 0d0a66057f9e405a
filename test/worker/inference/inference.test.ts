/** Teachers of every kind give what their model gives; what does not fit is refused with the field that is wrong. */
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { teacher } from "../../../core/jobteacher.ts";
import { saveLayersModel } from "../../../worker/artifacts/tfjs.ts";
import type { Engine } from "../../../worker/engine/engine.ts";
import type { Inference } from "../../../worker/inference/inference.ts";
import { openModel } from "../../../worker/inference/open.ts";
import { Network } from "../../../worker/learn/network.ts";
import { openEngine } from "../learn/engines.ts";
import { build, scratchFolder } from "../learn/samples.ts";
import { type KserveSettings, serveKserve } from "./kserve.ts";
import { onnxFile } from "./onnxfile.ts";
import { logitsOf, perceptron, pictures, softened } from "./perceptron.ts";
import { writeGraphModel, writeSavedModel } from "./tensorflowgraph.ts";

const shape = [4, 5, 2] as const;
const [features, classes, count] = [40, 3, 6];
const model = perceptron(5, features, classes);
const examples = pictures(count, shape);
const temperature = 4;
const engine = await openEngine("auto");
if (typeof engine === "string") throw new Error(engine);

/** @param spec as a user may write it */
function open(spec: unknown, rest: { inputShape?: readonly number[]; classes?: number; on?: Engine } = {}) {
  const { on = engine as Engine, ...given } = rest;
  const request = { inputShape: shape, classes, seed: 1, jobFolder: "/", role: "teacher", temperature, ...given };
  return openModel(on, { ...request, spec: teacher.parse(spec) });
}

async function asked(spec: unknown, inputs = examples.nhwc): Promise<{ logits: Float32Array; sha256: string }> {
  const found = await open(spec);
  assert.ok(!(found instanceof Network));
  try {
    return { logits: await found.logits(inputs, count), sha256: found.sha256 };
  } finally {
    await found.dispose();
  }
}

function assertClose(found: ArrayLike<number>, expected: ArrayLike<number>, tolerance = 1e-5): void {
  assert.equal(found.length, expected.length);
  for (let at = 0; at < found.length; at++) {
    const off = Math.abs(found[at]! - expected[at]!);
    assert.ok(off <= tolerance, `value ${at} is ${found[at]}, should be ${expected[at]}`);
  }
}

function written(name: string, bytes: Uint8Array): string {
  const path = join(scratchFolder(), name);
  writeFileSync(path, bytes);
  return path;
}

/** Refused with this text, and no tensor left behind. */
async function refused(spec: unknown, message: RegExp, rest: Parameters<typeof open>[1] = {}, code = "bad_model") {
  const { tf } = rest.on ?? (engine as Engine);
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
const reference = { nhwc: logitsOf(model, examples.nhwc, count), nchw: logitsOf(model, examples.nchw, count) };

const any = ["batch", ...shape];
const first = ["batch", 2, 4, 5];

test("ONNX gives the model's logits in the layout that its input takes", async () => {
  const nhwc = written("model.onnx", onnxFile(model, any));
  assertClose((await asked({ load: nhwc })).logits, reference.nhwc);
  const nchw = written("model.onnx", onnxFile(model, first));
  assertClose((await asked({ load: nchw })).logits, reference.nchw);
  const flat = written("model.onnx", onnxFile(model, ["batch", features]));
  assertClose((await asked({ load: flat })).logits, reference.nhwc);
  const unsaid = written("model.onnx", onnxFile(model, ["batch", "c", "h", "w"]));
  assertClose((await asked({ load: unsaid, layout: "nchw" })).logits, reference.nchw);
});

test("ONNX of a fixed number of examples per call, or a job that says one, is asked in as many calls", async () => {
  const fixed = written("model.onnx", onnxFile(model, [4, ...shape]));
  assertClose((await asked({ load: fixed })).logits, reference.nhwc);
  const free = written("model.onnx", onnxFile(model, any));
  assertClose((await asked({ load: free, batch: 1 })).logits, reference.nhwc);
  await refused(
    { load: fixed, batch: 3 },
    /^teacher\.batch: is 3, .*model\.onnx takes 4 examples per call: leave it out$/,
  );
});

test("probabilities and their logarithms are logits of the same distribution", async () => {
  const expected = softened(reference.nhwc, classes);
  for (const gives of ["probabilities", "logProbabilities"] as const) {
    const path = written("model.onnx", onnxFile(model, any, gives));
    const { logits } = await asked({ load: path, gives });
    assertClose(softened(logits, classes), expected);
    assertClose(softened(logits, classes, temperature), softened(reference.nhwc, classes, temperature));
  }
  const logits = written("model.onnx", onnxFile(perceptron(9, features, classes), any));
  await assert.rejects(
    asked({ load: logits, gives: "probabilities" }),
    /^LimbeckError: teacher\.gives: is probabilities, but an output is -?\d/,
  );
});

test("a GraphModel gives the model's logits, from either of its outputs", async () => {
  const folder = scratchFolder();
  writeGraphModel(folder, model, [-1, ...shape]);
  assertClose((await asked({ load: folder, output: "logits" })).logits, reference.nhwc);
  const soft = await asked({
    load: join(folder, "model.json"),
    format: "graph",
    output: "probabilities",
    gives: "probabilities",
  });
  assertClose(softened(soft.logits, classes), softened(reference.nhwc, classes));
  await refused({ load: folder }, /^teacher\.output: needed, for .* has 2 outputs: give one of logits, probabilities$/);
  await refused(
    { load: folder, output: "scores" },
    /^teacher\.output: .* has no output scores, it has logits, probabilities$/,
  );
});

test("a SavedModel gives the model's logits through TensorFlow, by its signature", {
  skip: (engine as Engine).savedModels === null && "needs TensorFlow",
}, async () => {
  const folder = scratchFolder();
  writeSavedModel(folder, model, [-1, 2, 4, 5]);
  assertClose((await asked({ load: folder })).logits, reference.nchw);
  const soft = await asked({ load: folder, signature: "softened", gives: "probabilities" });
  assertClose(softened(soft.logits, classes), softened(reference.nchw, classes));
  await refused(
    { load: folder, signature: "train" },
    /^teacher\.signature: .* has no signature train, it has serving_default, softened$/,
  );
  await refused({ load: folder, input: "x" }, /^teacher\.input: .* has no input x, it has image$/);
  await refused(
    { load: folder, layout: "nhwc" },
    /^teacher\.layout: nhwc makes \[any, 4, 5, 2\] of examples \[4, 5, 2\], and the input image takes \[any, 2, 4, 5\]: nchw would fit$/,
  );
});

test("without TensorFlow a SavedModel is refused", async () => {
  const folder = scratchFolder();
  writeSavedModel(folder, model, [-1, features]);
  const on = { ...(engine as Engine), savedModels: null };
  await refused({ load: folder }, /^teacher: the SavedModel .* needs TensorFlow, the engine here is/, { on });
});

test("a KServe server gives the model's logits, raw or typed", async (t) => {
  for (const contents of ["raw", "typed"] as const) {
    const server = await serveKserve(model, { contents, shape: [-1, ...shape], busy: 2 });
    t.after(server.close);
    const { logits } = await asked({ remote: { address: server.address, model: "digits", batch: 4 } });
    assertClose(logits, reference.nhwc);
    assert.deepEqual(server.rows, [4, 4, 4], "two for the first look, six for the examples");
  }
});

test("a server that goes and comes back is waited for", async (t) => {
  const first = await serveKserve(model, { shape: [-1, ...shape] });
  const { address } = first;
  const found = await open({ remote: { address, model: "digits", timeoutSeconds: 20 } });
  assert.ok(!(found instanceof Network));
  first.close();
  const answer = found.logits(examples.nhwc, count);
  answer.catch(() => {});
  // The call has failed at least once when another serves there.
  await assert.rejects(asked({ remote: { address, model: "digits", timeoutSeconds: 0.3 } }), /ECONNREFUSED|dropped/);
  const second = await serveKserve(model, { shape: [-1, ...shape], port: Number(address.split(":")[1]) });
  t.after(second.close);
  assertClose(await answer, reference.nhwc);
  await found.dispose();
});

test("a remote teacher that cannot be asked is refused with the reason", async (t) => {
  const serve = async (settings: KserveSettings) => {
    const server = await serveKserve(model, settings);
    t.after(server.close);
    return { address: server.address, model: "digits", timeoutSeconds: 0.5 };
  };
  const fine = await serve({ shape: [-1, ...shape] });
  await refused(
    { remote: { ...fine, model: "digit" } },
    /^teacher\.remote: digit at .* refuses: NOT_FOUND: .*'digit' is not found$/,
  );
  await refused(
    { remote: { ...fine, output: "logits" } },
    /^teacher\.remote\.output: digits at .* has no output logits, it has scores$/,
  );
  await refused({ remote: { ...fine, layout: "nchw" } }, /^teacher\.remote\.layout: nchw makes .*: nhwc would fit$/);
  await refused({ remote: fine }, /^teacher\.remote: digits at .* has 3 classes, the dataset 4$/, { classes: 4 });
  const unready = await serve({ isReady: false });
  await refused({ remote: unready }, /^teacher\.remote: digits at .* says that it is not ready$/, {}, "unavailable");
  const silent = await serve({ silent: true });
  await refused({ remote: silent }, /^teacher\.remote: no answer of digits at .* in 0\.5 s/, {}, "timeout");
  const gone = await serveKserve(model);
  gone.close();
  const away = { address: gone.address, model: "digits", timeoutSeconds: 0.5 };
  await refused(
    { remote: away },
    /^teacher\.remote: no answer of digits at 127\.0\.0\.1:\d+ in 0\.5 s: .*ECONNREFUSED/,
    {},
    "unavailable",
  );
});

test("files that are no model, or not of this dataset, are refused with the reason", async () => {
  const path = written("model.onnx", onnxFile(model, any));
  await refused({ load: path }, /^teacher: .*model\.onnx has 3 classes, the dataset 5$/, { classes: 5 });
  await refused({ load: path, input: "image" }, /^teacher\.input: .* has no input image, it has x$/);
  await refused(
    { load: path },
    /^teacher: the input x takes \[any, 4, 5, 2\], the dataset's examples are \[6, 6, 1\], which it takes in no layout/,
    { inputShape: [6, 6, 1] },
  );
  await refused(
    { load: path, layout: "nchw" },
    /^teacher\.layout: nchw needs examples \[height, width, channels\], the dataset's are \[40\]/,
    { inputShape: [40] },
  );
  const unsaid = written("model.onnx", onnxFile(model, ["batch", "c", "h", "w"]));
  await refused(
    { load: unsaid },
    /^teacher\.layout: needed, for the input x takes .*: give one of nhwc \[any, 4, 5, 2\], nchw \[any, 2, 4, 5\]/,
  );
  await refused(
    { load: written("model.onnx", Buffer.from("no model")) },
    /^teacher: .*model\.onnx cannot be loaded as ONNX: /,
  );
  await refused({ load: "/nowhere/model.onnx" }, /^teacher\.load: there is no \/nowhere\/model\.onnx$/);
  await refused({ load: "/nowhere" }, /^cannot read the model at \/nowhere: no such file$/);
  const two = written("model.onnx", onnxFile(model, any, "logits", { output: true }));
  await refused({ load: two }, /^teacher\.output: needed, for .* has 2 outputs: give one of y, hidden$/);
  await refused({ load: two, output: "hidden" }, /^teacher: .* has 7 classes, the dataset 3$/);
});

test("the digest is of the files and of how they are read, not of where they lie", async () => {
  const bytes = onnxFile(model, any);
  const one = await asked({ load: written("one.onnx", bytes) });
  assert.equal((await asked({ load: written("other.onnx", bytes) })).sha256, one.sha256);
  assert.notEqual(
    (await asked({ load: written("one.onnx", onnxFile(perceptron(6, features, classes), any)) })).sha256,
    one.sha256,
  );
  assert.notEqual((await asked({ load: written("one.onnx", bytes), batch: 2 })).sha256, one.sha256);
  const [unsaid, again] = [written("one.onnx", onnxFile(model, ["n", "a", "b", "c"])), { layout: "nhwc" }];
  const nhwc = await asked({ load: unsaid, ...again });
  assert.equal((await asked({ load: unsaid, ...again })).sha256, nhwc.sha256);
  assert.notEqual((await asked({ load: unsaid, layout: "nchw" })).sha256, nhwc.sha256);
});

test("asking keeps no tensor, and disposing leaves none (L8)", async () => {
  const { tf } = engine as Engine;
  const folder = scratchFolder();
  writeGraphModel(folder, model, [-1, ...shape]);
  const saved = scratchFolder();
  writeSavedModel(saved, model, [-1, ...shape]);
  const specs = [{ load: folder, output: "logits" }, ...((engine as Engine).savedModels ? [{ load: saved }] : [])];
  for (const spec of specs) {
    const before = tf.memory().numTensors;
    const found = (await open(spec)) as Inference;
    const held = tf.memory().numTensors;
    for (let call = 0; call < 5; call++) await found.logits(examples.nhwc, count);
    assert.equal(tf.memory().numTensors, held);
    await found.dispose();
    assert.equal(tf.memory().numTensors, before);
  }
});

test("an ensemble of kinds is the weighted mean of their softened distributions, or of their logits", async (t) => {
  const other = perceptron(8, features, classes);
  const server = await serveKserve(other, { shape: [-1, ...shape] });
  t.after(server.close);
  const folder = scratchFolder();
  const network = await build(engine as Engine, { kind: "mlp", widths: [5] }, { inputShape: shape });
  const { layout, order } = network;
  await saveLayersModel(folder, { topology: network.topology(), layout, order, weights: network.initialWeights() });
  const onnx = written("model.onnx", onnxFile(model, first));
  const members = [
    { load: onnx, weight: 2 },
    { remote: { address: server.address, model: "digits" } },
    { load: folder, weight: 1 },
  ];
  const given = [reference.nchw, logitsOf(other, examples.nhwc, count), network.logits(examples.nhwc, count)];
  network.dispose();
  const mean = (of: readonly ArrayLike<number>[]) =>
    Float64Array.from({ length: count * classes }, (_, at) => (2 * of[0]![at]! + of[1]![at]! + of[2]![at]!) / 4);
  const soft = await asked({ ensemble: members });
  assertClose(
    softened(soft.logits, classes, temperature),
    mean(given.map((each) => softened(each, classes, temperature))),
  );
  const plain = await asked({ ensemble: members, mean: "logits" });
  assertClose(plain.logits, mean(given));
  assert.notEqual(plain.sha256, soft.sha256);
  assert.notEqual((await asked({ ensemble: [members[1]!, members[0]!, members[2]!] })).sha256, soft.sha256);
});

test("a member that does not fit is named, and those before it are let go", async () => {
  const folder = scratchFolder();
  writeGraphModel(folder, model, [-1, ...shape]);
  const graph = { load: folder, output: "logits" };
  const lost = { load: "/nowhere/b.onnx" };
  await refused({ ensemble: [graph, lost] }, /^teacher\.ensemble\.1\.load: there is no \/nowhere\/b\.onnx$/);
  await refused(
    { ensemble: [graph, { load: folder, output: "z" }] },
    /^teacher\.ensemble\.1\.output: .* has no output z/,
  );
});

test("fields that are not for a LayersModel are refused", async () => {
  const folder = join(scratchFolder(), "layers");
  mkdirSync(folder);
  const network = await build(engine as Engine, { kind: "mlp", widths: [5] }, { inputShape: shape });
  const { layout, order } = network;
  await saveLayersModel(folder, { topology: network.topology(), layout, order, weights: network.initialWeights() });
  network.dispose();
  const found = await open({ load: folder });
  assert.ok(found instanceof Network);
  await found.dispose();
  await refused(
    { load: folder, gives: "probabilities" },
    /^teacher\.gives: is not for a tfjs LayersModel, which .* is: leave it out$/,
  );
});
