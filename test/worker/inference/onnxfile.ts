/** Writes a perceptron as ONNX (onnx.proto, opset 13). */

import type { Gives, Perceptron } from "./perceptron.ts";
import { bytes, floats, int, message, text } from "./protobuf.ts";

const float32 = 1;

/**
 * @param shape of the input `x`, a word for a side that may be any
 * @param extra names of outputs and inputs besides `x` and `y`
 */
export function onnxFile(
  model: Perceptron,
  shape: readonly (number | string)[],
  gives: Gives = "logits",
  extra: { readonly output?: boolean } = {},
): Uint8Array {
  const { inputs, hidden, classes } = model;
  const last = gives === "logits" ? [] : [node(gives === "probabilities" ? "Softmax" : "LogSoftmax", ["z"], "y")];
  const logits = gives === "logits" ? "y" : "z";
  const graph = message(
    bytes(1, node("Flatten", ["x"], "flat")),
    bytes(1, node("Gemm", ["flat", "kernel", "bias"], "before")),
    bytes(1, node("Relu", ["before"], "hidden")),
    bytes(1, node("Gemm", ["hidden", "kernel2", "bias2"], logits)),
    last.map((each) => bytes(1, each)),
    text(2, "perceptron"),
    bytes(5, weights("kernel", [inputs, hidden], model.kernel)),
    bytes(5, weights("bias", [hidden], model.bias)),
    bytes(5, weights("kernel2", [hidden, classes], model.kernel2)),
    bytes(5, weights("bias2", [classes], model.bias2)),
    bytes(11, tensor("x", shape)),
    bytes(12, tensor("y", ["batch", classes])),
    extra.output ? [bytes(12, tensor("hidden", ["batch", hidden]))] : [],
  );
  return message(int(1, 7), text(2, "limbeck-test"), bytes(7, graph), bytes(8, message(text(1, ""), int(2, 13))));
}

function node(op: string, from: readonly string[], to: string): Uint8Array {
  return message(
    from.map((name) => text(1, name)),
    text(2, to),
    text(4, op),
  );
}

function weights(name: string, dims: readonly number[], values: Float32Array): Uint8Array {
  return message(
    dims.map((side) => int(1, side)),
    int(2, float32),
    text(8, name),
    bytes(9, floats(values)),
  );
}

function tensor(name: string, shape: readonly (number | string)[]): Uint8Array {
  const dims = shape.map((side) => bytes(1, typeof side === "number" ? int(1, side) : text(2, side)));
  return message(text(1, name), bytes(2, bytes(1, message(int(1, float32), bytes(2, message(...dims))))));
}
