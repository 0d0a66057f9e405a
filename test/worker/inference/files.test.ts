/** Teachers that are files give what their model gives; what does not fit is refused with the field that is wrong. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import type { Inference } from "../../../worker/inference/inference.ts";
import { Network } from "../../../worker/learn/network.ts";
import { scratchFolder } from "../learn/samples.ts";
import {
  any,
  asked,
  assertClose,
  classes,
  count,
  engine,
  examples,
  features,
  first,
  layersModel,
  model,
  open,
  reference,
  refused,
  shape,
  temperature,
  written,
} from "./asking.ts";
import { onnxFile } from "./onnxfile.ts";
import { perceptron, softened } from "./perceptron.ts";
import { writeGraphModel, writeSavedModel } from "./tensorflowgraph.ts";

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
  skip: engine.savedModels === null && "needs TensorFlow",
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
  const on = { ...engine, savedModels: null };
  await refused({ load: folder }, /^teacher: the SavedModel .* needs TensorFlow, the engine here is/, { on });
});

test("a pipe is no model, and nobody waits for who writes into it", async () => {
  for (const name of ["model.onnx", "model.json"]) {
    const pipe = join(scratchFolder(), name);
    execFileSync("mkfifo", [pipe]);
    await refused({ load: pipe }, new RegExp(`${pipe}.*: it is a pipe, and a file is needed$`));
  }
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
  const { tf } = engine;
  const folder = scratchFolder();
  writeGraphModel(folder, model, [-1, ...shape]);
  const saved = scratchFolder();
  writeSavedModel(saved, model, [-1, ...shape]);
  const specs = [{ load: folder, output: "logits" }, ...(engine.savedModels ? [{ load: saved }] : [])];
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

test("fields that are not for a LayersModel are refused", async () => {
  const { folder } = await layersModel();
  const found = await open({ load: folder });
  assert.ok(found instanceof Network);
  await found.dispose();
  await refused(
    { load: folder, gives: "probabilities" },
    /^teacher\.gives: is not for a tfjs LayersModel, which .* is: leave it out$/,
  );
});
