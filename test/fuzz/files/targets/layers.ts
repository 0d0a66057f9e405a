/** tfjs LayersModels, as `load:` reads, builds and asks them. */
import { join } from "node:path";
import { sha256Hex } from "../../../../worker/artifacts/digest.ts";
import { saveQuantized } from "../../../../worker/artifacts/quantize.ts";
import { saveLayersModel } from "../../../../worker/artifacts/tfjs.ts";
import type { Engine } from "../../../../worker/engine/engine.ts";
import { loadEngine } from "../../../../worker/engine/load.ts";
import { buildNetwork } from "../../../../worker/learn/network.ts";
import { build, classes, pictures } from "../../../worker/learn/samples.ts";
import { type Folder, inScratch, jsonOf, type Nasty, promise, readFolder, type Target, withFiles } from "../target.ts";

const jsonPath = "model/model.json";
const shard = "group1-shard1of1.bin";
const mlp = { kind: "mlp", widths: [4] };
const cnn = { kind: "cnn", blocks: [{ filters: 2 }], batchNorm: true, dropout: 0.3 };

interface Model {
  format?: string;
  modelTopology: unknown;
  userDefinedMetadata?: { shardSha256?: Record<string, string> };
  weightsManifest: {
    paths: string[];
    weights: { name: string; shape: number[]; dtype: string; quantization?: object }[];
  }[];
}

function seedsOf(engine: Engine): Promise<Folder[]> {
  return inScratch(async (scratch) => {
    const seeds: Folder[] = [];
    for (const spec of [mlp, cnn]) {
      const network = await build(engine, spec);
      const { layout, order } = network;
      const artifact = { topology: network.topology(), layout, order, weights: network.initialWeights() };
      network.dispose();
      for (const [at, save] of [saveLayersModel, float16, uint8].entries()) {
        const folder = join(scratch, `${spec.kind}-${at}`);
        await save(folder, artifact);
        seeds.push(readFolder(folder, "model"));
      }
    }
    return seeds;
  });
}

const float16: typeof saveLayersModel = (folder, artifact) => saveQuantized(folder, artifact, "float16");
const uint8: typeof saveLayersModel = (folder, artifact) => saveQuantized(folder, artifact, "uint8");

/** The digests of shards are those of the files. */
function mend(folder: Folder): Folder {
  try {
    const model = jsonOf<Model>(folder, jsonPath);
    const shards = model.userDefinedMetadata!.shardSha256!;
    for (const name of Object.keys(shards)) shards[name] = sha256Hex(folder.files[`model/${name}`]!);
    return withFiles(folder, { [jsonPath]: JSON.stringify(model) });
  } catch {
    return folder; // There is none to mend.
  }
}

/** Each with a change of the first seed's model.json, after which it must be refused. */
function nastiesOf(seed: Folder, place: string): Record<string, Nasty> {
  const changed = (
    change: (model: Model, layers: { class_name: string; config: Record<string, unknown> }[]) => void,
  ): Nasty => {
    const model = jsonOf<Model>(seed, jsonPath);
    delete model.userDefinedMetadata;
    const { config } = model.modelTopology as {
      config: { layers: { class_name: string; config: Record<string, unknown> }[] };
    };
    change(model, config.layers);
    return { ...withFiles(seed, { [jsonPath]: JSON.stringify(model) }), must: "be refused" };
  };
  const at = (...paths: string[]) => changed(({ weightsManifest: [group] }) => void Object.assign(group!, { paths }));
  const linked = (to: string, name = "w.bin"): Nasty => ({ ...at(name), links: { [`model/${name}`]: to } });
  const text = (replace: (json: string) => string): Nasty => ({
    ...withFiles(seed, { [jsonPath]: replace(changed(() => {}).files[jsonPath]!.toString()) }),
    must: "be refused",
  });
  const weight = (fields: object) =>
    changed(({ weightsManifest: [group] }) => void Object.assign(group!.weights[0]!, fields));
  const layer = (name: string, config: object) =>
    changed(
      (_, layers) =>
        void layers.splice(-1, 0, { class_name: name, config: { name: "odd", trainable: true, ...config } }),
    );
  return {
    "weights in the folder above": at("../../canary"),
    "weights in the folder above, by a way": at("a/../../../canary"),
    "weights at an absolute path": at(join(place, "canary")),
    "weights at a URL": at(`file://${join(place, "canary")}`),
    "weights in a path that is escaped": at("..%2f..%2fcanary"),
    "weights in a path of Windows": at("..\\..\\canary"),
    "weights at a path with a zero": at(`${shard}\0`),
    "weights at no path": at(""),
    "weights that are the folder": at("."),
    "weights that are the model": at("model.json"),
    "weights by a link that leads out": linked("../../canary"),
    "weights by a link to an absolute path": linked(join(place, "canary")),
    "weights by a folder that leads out": { ...at("w/canary"), links: { "model/w": "../.." } },
    "weights by a link to itself": linked("w.bin"),
    "weights without an end": linked("/dev/zero"),
    "a model without an end": { files: {}, links: { [jsonPath]: "/dev/zero" }, must: "be refused" },
    "the same weights again and again": changed(({ weightsManifest: [group] }) => {
      const { paths, weights } = group!;
      Object.assign(group!, { paths: Array(500).fill(paths[0]), weights: Array(500).fill(weights).flat() });
    }),
    "a billion units": changed((_, layers) => void Object.assign(layers.at(-2)!.config, { units: 1e9 })),
    "as many units as there are": changed(
      (_, layers) => void Object.assign(layers.at(-2)!.config, { units: 2 ** 53 - 1 }),
    ),
    "units that are none": changed((_, layers) => void Object.assign(layers.at(-2)!.config, { units: -4 })),
    "inputs of a billion": changed(
      (_, layers) => void Object.assign(layers[0]!.config, { batch_input_shape: [null, 1e9, 1e9] }),
    ),
    "a shape of 2^62": weight({ shape: [2 ** 31, 2 ** 31] }),
    "a shape that overflows": weight({ shape: Array(40).fill(2 ** 52) }),
    "a side below 0": weight({ shape: [-36, -4] }),
    "a side that is no integer": weight({ shape: [0.5, 288] }),
    "a type of JavaScript": weight({ dtype: "constructor" }),
    "a type that is text": weight({ dtype: "string" }),
    "a scale that is endless": text((json) =>
      json.replace(
        /"weightsManifest".*?"dtype":"float32"/,
        '$&,"quantization":{"dtype":"uint8","scale":1e999,"min":0}',
      ),
    ),
    "uint8 without a scale": changed(({ weightsManifest: [group] }) => {
      const [first] = group!.weights;
      Object.assign(first!, { quantization: { dtype: "uint8" }, shape: [36 * 4, 4] });
    }),
    "a layer that repeats a billion times": layer("RepeatVector", { n: 1e9 }),
    "a layer that makes pictures of a billion": layer("UpSampling2D", { size: [1e5, 1e5] }),
    "a layer of a prototype": layer("__proto__", {}),
    "a layer of nobody": layer("Nobody", {}),
    "a layer that is null": changed((_, layers) => void layers.push(null as never)),
    "layers of a name": changed((_, layers) => void layers.push(layers[1]!)),
    "a topology of nothing": changed((model) => void Object.assign(model, { modelTopology: {} })),
    "a topology of a number": changed((model) => void Object.assign(model, { modelTopology: { model_config: 5 } })),
    "models in models": text((json) =>
      json.replace(
        '"layers":[',
        `"layers":[${'{"class_name":"Sequential","config":{"layers":['.repeat(2_000)}${"]}}".repeat(2_000)},`,
      ),
    ),
    "lists in lists": text((json) => json.replace('"name":"mlp"', `"name":${"[".repeat(50_000)}${"]".repeat(50_000)}`)),
    "a prototype": text((json) =>
      json
        .replace('"name":"mlp"', '"name":"mlp","__proto__":{"polluted":1}')
        .replace('"layers":[', '"layers":[{"__proto__":{"polluted":1}},'),
    ),
    "a graph model": changed((model) => void Object.assign(model, { format: "graph-model" })),
    "a model.json of a number": text(() => "5"),
  };
}

export const target: Target = {
  async open(place) {
    const engine = await loadEngine("wasm", 1);
    const { tf } = engine;
    const seeds = await seedsOf(engine);
    const canary = seeds[0]!.files[`model/${shard}`]!;
    const request = { inputShape: pictures, classes, seed: 1, role: "student", spec: { load: "model" } };
    return {
      seeds,
      nasties: nastiesOf(seeds[0]!, place),
      canary,
      mend,
      names: /\bthe student\b/,
      async read(folder) {
        // tfjs leaves tensors behind where it fails, which is not what is looked for here.
        tf.engine().startScope();
        try {
          const network = await buildNetwork(engine, { ...request, jobFolder: folder });
          promise(network.initialWeights().length === network.layout.weights, "it has not the weights of its layout");
          promise(network.logits(new Float32Array(72), 2).length === 2 * classes, "it gives no logits");
          network.dispose();
        } finally {
          tf.engine().endScope();
          tf.disposeVariables();
        }
      },
    };
  },
};
