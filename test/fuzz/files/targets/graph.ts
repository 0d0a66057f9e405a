/** tfjs GraphModels, as a teacher's `load:` reads and asks them. */
import { teacher } from "../../../../core/jobteacher.ts";
import { loadEngine } from "../../../../worker/engine/load.ts";
import { openModel } from "../../../../worker/inference/open.ts";
import { Network } from "../../../../worker/learn/network.ts";
import { perceptron } from "../../../worker/inference/perceptron.ts";
import { writeGraphModel } from "../../../worker/inference/tensorflowgraph.ts";
import { type Folder, inScratch, jsonOf, type Nasty, promise, readFolder, type Target, withFiles } from "../target.ts";

export const shape = [4, 5, 2] as const;
export const classes = 3;
export const model = perceptron(5, 40, classes);
const jsonPath = "model/model.json";

interface Graph {
  modelTopology: { node: { name: string; op: string; input?: string[]; attr: Record<string, unknown> }[] };
  signature: Record<string, Record<string, object>>;
  weightsManifest: { paths: string[]; weights: { name: string; shape: number[]; dtype: string }[] }[];
}

function seedOf(sides: readonly number[]): Promise<Folder> {
  return inScratch((scratch) => {
    writeGraphModel(scratch, model, sides);
    return readFolder(scratch, "model");
  });
}

function nastiesOf(seed: Folder): Record<string, Nasty> {
  const changed = (change: (graph: Graph) => void): Nasty => {
    const graph = jsonOf<Graph>(seed, jsonPath);
    change(graph);
    return { ...withFiles(seed, { [jsonPath]: JSON.stringify(graph) }), must: "be refused" };
  };
  const node = (fields: object) =>
    changed(({ modelTopology }) => void Object.assign(modelTopology.node.at(-2)!, fields));
  return {
    "weights in the folder above": changed(
      ({ weightsManifest: [group] }) => void Object.assign(group!, { paths: ["../../canary"] }),
    ),
    "a node that needs itself": node({ input: ["logits", "bias2"] }),
    "a node that needs nobody": node({ input: ["nobody", "bias2"] }),
    "an op of nobody": node({ op: "Nobody" }),
    "an op of JavaScript": node({ op: "constructor" }),
    "an op that loops": node({ op: "While" }),
    "no nodes": changed(({ modelTopology }) => void Object.assign(modelTopology, { node: [] })),
    "nodes that are none": changed(({ modelTopology }) => void Object.assign(modelTopology, { node: [null, 5, "x"] })),
    "a node of a prototype": node({ name: "__proto__" }),
    "a constant that is larger than its weights": changed(
      ({ weightsManifest: [group] }) => void Object.assign(group!.weights[1]!, { shape: [2 ** 31, 2 ** 31] }),
    ),
    "a signature of nothing": changed(
      ({ signature }) => void Object.assign(signature, { inputs: { image: {} }, outputs: { logits: {} } }),
    ),
    "a topology that is packed": changed((graph) => void Object.assign(graph, { modelTopology: { node: "AAAA" } })),
    "weights without an end": {
      ...changed(({ weightsManifest: [group] }) => void Object.assign(group!, { paths: ["w"] })),
      links: { "model/w": "/dev/zero" },
    },
  };
}

export const target: Target = {
  async open() {
    const engine = await loadEngine("wasm", 1);
    const { tf } = engine;
    const seeds = [await seedOf([-1, ...shape]), await seedOf([2, ...shape])];
    const request = { inputShape: shape, classes, seed: 1, role: "teacher", temperature: 2 };
    const spec = teacher.parse({ load: "model", format: "graph", output: "logits" });
    return {
      seeds,
      nasties: nastiesOf(seeds[0]!),
      canary: seeds[0]!.files["model/group1-shard1of1.bin"]!,
      names: /\bteacher\b/,
      async read(folder) {
        tf.engine().startScope();
        try {
          const opened = await openModel(engine, { ...request, spec, jobFolder: folder });
          promise(!(opened instanceof Network), "it is a network");
          try {
            promise((await opened.logits(new Float32Array(40), 1)).length === classes, "it gives no logits");
          } finally {
            await opened.dispose();
          }
        } finally {
          tf.engine().endScope();
          tf.disposeVariables();
        }
      },
    };
  },
};
