/** ONNX, read by onnxruntime: a parser of another house, in this process. */
import { teacher } from "../../../../core/jobteacher.ts";
import { loadEngine } from "../../../../worker/engine/load.ts";
import { openModel } from "../../../../worker/inference/open.ts";
import { Network } from "../../../../worker/learn/network.ts";
import { onnxFile } from "../../../worker/inference/onnxfile.ts";
import { bytes, int, message, text } from "../../../worker/inference/protobuf.ts";
import { type Folder, promise, type Target } from "../target.ts";
import { classes, model, shape } from "./graph.ts";

const name = "model.onnx";
const folder = (file: Uint8Array): Folder => ({ files: { [name]: file } });
const seed = onnxFile(model, ["batch", ...shape]);

const weightBytes = 4 * 40 * classes;

/** A model whose weights lie in another file (TensorProto: external_data 13, data_location 14). */
function external(location: string): Folder {
  const pair = (key: string, value: string) => bytes(13, message(text(1, key), text(2, value)));
  const where = [pair("location", location), pair("offset", "0"), pair("length", String(weightBytes)), int(14, 1)];
  const weight = message(int(1, 40), int(1, classes), int(2, 1), text(8, "w"), where);
  const node = (op: string, from: readonly string[], to: string) =>
    bytes(
      1,
      message(
        from.map((each) => text(1, each)),
        text(2, to),
        text(4, op),
      ),
    );
  const declared = (tensor: string, sides: readonly number[]) => {
    const dims = [text(2, "batch"), ...sides.map((side) => int(1, side))].map((side) => bytes(1, side));
    return message(text(1, tensor), bytes(2, bytes(1, message(int(1, 1), bytes(2, message(dims))))));
  };
  const graph = message(
    node("Flatten", ["x"], "flat"),
    node("MatMul", ["flat", "w"], "y"),
    text(2, "g"),
    bytes(5, weight),
    bytes(11, declared("x", shape)),
    bytes(12, declared("y", [classes])),
  );
  return folder(message(int(1, 7), bytes(7, graph), bytes(8, message(text(1, ""), int(2, 13)))));
}

export const target: Target = {
  async open(place) {
    const engine = await loadEngine("wasm", 1);
    const request = { inputShape: shape, classes, seed: 1, role: "teacher", temperature: 2 };
    const spec = teacher.parse({ load: name });
    return {
      seeds: [folder(seed), folder(onnxFile(model, [2, ...shape], "probabilities"))],
      nasties: {
        "weights beside it": {
          files: { ...external(`${name}.data`).files, [`${name}.data`]: new Uint8Array(weightBytes) },
          must: "be taken",
        },
        "weights in the folder above": { ...external("../canary"), must: "be refused" },
        "weights at an absolute path": { ...external(`${place}/canary`), must: "be refused" },
        "weights by a link that leads out": {
          ...external("w.data"),
          links: { "w.data": "../canary" },
          must: "be refused",
        },
        nothing: { ...folder(new Uint8Array()), must: "be refused" },
        "a folder": { files: { [`${name}/x`]: new Uint8Array(1) }, must: "be refused" },
        "messages in messages": { ...folder(nested(20_000)), must: "be refused" },
      },
      canary: new Uint8Array(weightBytes),
      names: /\bteacher\b/,
      async read(path) {
        const opened = await openModel(engine, { ...request, spec, jobFolder: path });
        promise(!(opened instanceof Network), "it is a network");
        try {
          promise((await opened.logits(new Float32Array(40), 1)).length === classes, "it gives no logits");
        } finally {
          await opened.dispose();
        }
      },
    };
  },
};

/** Graphs in attributes of nodes of graphs. */
function nested(depth: number): Uint8Array {
  // From the inside, each length in front: 5 bytes of it at most.
  const whole = Buffer.alloc(20 * depth);
  let from = whole.length;
  const wrap = (field: number) => {
    const head = message(int(field, 0)).subarray(0, -1);
    const length = message(int(1, whole.length - from)).subarray(1);
    const tag = Buffer.from(head);
    tag[tag.length - 1] = tag[tag.length - 1]! + 2;
    from -= tag.length + length.length;
    whole.set(tag, from);
    whole.set(length, from + tag.length);
  };
  for (let at = 0; at < depth; at++) for (const field of [6, 5, 1]) wrap(field);
  wrap(7);
  return whole.subarray(from);
}
