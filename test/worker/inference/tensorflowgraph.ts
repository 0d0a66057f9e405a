/** Writes a perceptron as a TensorFlow graph: a SavedModel, and the GraphModel that tfjs's converter makes of one. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Perceptron } from "./perceptron.ts";
import { bytes, entry, int, message, text } from "./protobuf.ts";

const [float32, int32] = [1, 3];

interface Node {
  readonly name: string;
  readonly op: string;
  readonly input?: readonly string[];
}

interface Constant {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float32Array | Int32Array;
}

function constantsOf(model: Perceptron): Constant[] {
  const { inputs, hidden, classes } = model;
  return [
    { name: "flat", shape: [2], values: Int32Array.of(-1, inputs) },
    { name: "kernel", shape: [inputs, hidden], values: model.kernel },
    { name: "bias", shape: [hidden], values: model.bias },
    { name: "kernel2", shape: [hidden, classes], values: model.kernel2 },
    { name: "bias2", shape: [classes], values: model.bias2 },
  ];
}

const nodes: readonly Node[] = [
  { name: "reshaped", op: "Reshape", input: ["x", "flat"] },
  { name: "product", op: "MatMul", input: ["reshaped", "kernel"] },
  { name: "before", op: "BiasAdd", input: ["product", "bias"] },
  { name: "hidden", op: "Relu", input: ["before"] },
  { name: "product2", op: "MatMul", input: ["hidden", "kernel2"] },
  { name: "logits", op: "BiasAdd", input: ["product2", "bias2"] },
  { name: "probabilities", op: "Softmax", input: ["logits"] },
];

/** @param shape of the input, -1 for a side that may be any */
export function writeSavedModel(folder: string, model: Perceptron, shape: readonly number[]): void {
  const types: Readonly<Record<string, Uint8Array>> = {
    Reshape: message(entry(5, "T", int(6, float32)), entry(5, "Tshape", int(6, int32))),
    MatMul: message(
      entry(5, "T", int(6, float32)),
      entry(5, "transpose_a", int(5, 0)),
      entry(5, "transpose_b", int(5, 0)),
    ),
  };
  const graph = message(
    bytes(
      1,
      message(
        text(1, "x"),
        text(2, "Placeholder"),
        entry(5, "dtype", int(6, float32)),
        entry(5, "shape", bytes(7, shapeOf(shape))),
      ),
    ),
    constantsOf(model).map((each) => bytes(1, constant(each))),
    nodes.map(({ name, op, input = [] }) =>
      bytes(
        1,
        message(
          text(1, name),
          text(2, op),
          input.map((from) => text(3, from)),
          types[op] ?? entry(5, "T", int(6, float32)),
        ),
      ),
    ),
    bytes(4, int(1, 1000)),
  );
  const classes = [-1, model.classes];
  const signature = (output: string) =>
    message(
      entry(1, "image", info("x:0", shape)),
      entry(2, "scores", info(`${output}:0`, classes)),
      text(3, "tensorflow/serving/predict"),
    );
  const meta = message(
    bytes(1, message(text(4, "serve"), text(5, "2.21.0"))),
    bytes(2, graph),
    entry(5, "serving_default", signature("logits")),
    entry(5, "softened", signature("probabilities")),
  );
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "saved_model.pb"), message(int(1, 1), bytes(2, meta)));
}

function shapeOf(shape: readonly number[]): Uint8Array {
  return message(shape.map((side) => bytes(2, int(1, side))));
}

function info(name: string, shape: readonly number[]): Uint8Array {
  return message(text(1, name), int(2, float32), bytes(3, shapeOf(shape)));
}

function constant({ name, shape, values }: Constant): Uint8Array {
  const type = values instanceof Int32Array ? int32 : float32;
  const content = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  const tensor = message(int(1, type), bytes(2, shapeOf(shape)), bytes(4, content));
  return message(text(1, name), text(2, "Const"), entry(5, "dtype", int(6, type)), entry(5, "value", bytes(8, tensor)));
}

/** @param shape of the input, -1 for a side that may be any */
export function writeGraphModel(folder: string, model: Perceptron, shape: readonly number[]): void {
  const tensorShape = (sides: readonly number[]) => ({ dim: sides.map((side) => ({ size: String(side) })) });
  const constants = constantsOf(model);
  const type = (values: Constant["values"]) => (values instanceof Int32Array ? "DT_INT32" : "DT_FLOAT");
  const tensor = (name: string, sides: readonly number[]) => ({
    name: `${name}:0`,
    dtype: "DT_FLOAT",
    tensorShape: tensorShape(sides),
  });
  const topology = {
    node: [
      { name: "x", op: "Placeholder", attr: { dtype: { type: "DT_FLOAT" }, shape: { shape: tensorShape(shape) } } },
      ...constants.map(({ name, shape: sides, values }) => ({
        name,
        op: "Const",
        attr: {
          dtype: { type: type(values) },
          value: { tensor: { dtype: type(values), tensorShape: tensorShape(sides) } },
        },
      })),
      ...nodes.map((node) => ({ ...node, attr: { T: { type: "DT_FLOAT" } } })),
    ],
    versions: { producer: 1000 },
  };
  const json = {
    format: "graph-model",
    generatedBy: "2.21.0",
    convertedBy: "TensorFlow.js Converter v4.22.0",
    signature: {
      inputs: { image: tensor("x", shape) },
      outputs: {
        logits: tensor("logits", [-1, model.classes]),
        probabilities: tensor("probabilities", [-1, model.classes]),
      },
    },
    modelTopology: topology,
    weightsManifest: [
      {
        paths: ["group1-shard1of1.bin"],
        weights: constants.map(({ name, shape: sides, values }) => ({
          name,
          shape: sides,
          dtype: values instanceof Int32Array ? "int32" : "float32",
        })),
      },
    ],
  };
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "model.json"), JSON.stringify(json));
  const parts = constants.map(({ values }) => Buffer.from(values.buffer, values.byteOffset, values.byteLength));
  writeFileSync(join(folder, "group1-shard1of1.bin"), Buffer.concat(parts));
}
