/** Several teachers as one. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { scratchFolder } from "../learn/samples.ts";
import {
  asked,
  assertClose,
  classes,
  count,
  examples,
  features,
  first,
  layersModel,
  model,
  reference,
  refused,
  shape,
  temperature,
  written,
} from "./asking.ts";
import { serveKserve } from "./kserve.ts";
import { onnxFile } from "./onnxfile.ts";
import { logitsOf, perceptron, softened } from "./perceptron.ts";
import { writeGraphModel } from "./tensorflowgraph.ts";

test("an ensemble of kinds is the weighted mean of their softened distributions, or of their logits", async (t) => {
  const other = perceptron(8, features, classes);
  const server = await serveKserve(other, { shape: [-1, ...shape] });
  t.after(server.close);
  const layers = await layersModel();
  const onnx = written("model.onnx", onnxFile(model, first));
  const members = [
    { load: onnx, weight: 2 },
    { remote: { address: server.address, model: "digits" } },
    { load: layers.folder, weight: 1 },
  ];
  const given = [reference.nchw, logitsOf(other, examples.nhwc, count), layers.logits];
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
