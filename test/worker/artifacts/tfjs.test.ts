import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, stat, unlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, before, beforeEach, test } from "node:test";
import * as tf from "@tensorflow/tfjs";
import { LimbeckError } from "../../../core/errors.ts";
import { layoutOf } from "../../../core/layout.ts";
import { readModelFolder, saveLayersModel } from "../../../worker/artifacts/tfjs.ts";
import { loadRead, logitsOf, type Sample, sampleModel } from "./models.ts";

let sample: Sample;
let folder = "";
before(async () => {
  sample = await sampleModel();
});
beforeEach(async () => {
  folder = join(await mkdtemp(join(tmpdir(), "limbeck-tfjs-")), "student");
});
afterEach(async () => rm(join(folder, ".."), { recursive: true }));

test("a saved model predicts the same bits when tfjs loads it", async () => {
  const { bytes } = await saveLayersModel(folder, sample.artifact);
  const sizes = await Promise.all((await readdir(folder)).map(async (name) => (await stat(join(folder, name))).size));
  assert.equal(
    bytes,
    sizes.reduce((sum, size) => sum + size, 0),
  );
  for (const path of [folder, join(folder, "model.json")]) {
    const loaded = await loadRead(await readModelFolder(path));
    assert.deepEqual(logitsOf(loaded), logitsOf(sample.model));
    loaded.dispose();
  }
});

test("the folder is what tfjs's own save handler gives, and what its own loader reads", async () => {
  await saveLayersModel(folder, sample.artifact, { weightsSha256: "abc" });
  const json = JSON.parse(await readFile(join(folder, "model.json"), "utf8"));
  assert.equal(json.format, "layers-model");
  assert.equal(json.userDefinedMetadata.weightsSha256, "abc");
  await sample.model.save(
    tf.io.withSaveHandler(async ({ modelTopology, weightSpecs, weightData }) => {
      assert.deepEqual(json.modelTopology, JSON.parse(JSON.stringify(modelTopology)));
      assert.deepEqual(
        json.weightsManifest[0].weights,
        weightSpecs!.map(({ name, shape, dtype }) => ({ name, shape, dtype })),
      );
      const read = await readModelFolder(folder);
      assert.deepEqual(Buffer.from(read.weightData), Buffer.from(weightData as ArrayBuffer));
      return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: "JSON" } };
    }),
  );
  const loaded = await tf.loadLayersModel({
    load: () =>
      tf.io.getModelArtifactsForJSON(json, async (manifest) => {
        const shards = manifest.flatMap(({ paths }) => paths).map((path) => readFile(join(folder, path)));
        const whole = Uint8Array.from(Buffer.concat(await Promise.all(shards))).buffer;
        return [manifest.flatMap(({ weights }) => weights), whole];
      }),
  });
  assert.deepEqual(logitsOf(loaded), logitsOf(sample.model));
});

test("large models are cut into shards and read back whole", async () => {
  const layout = layoutOf([{ name: "wide/kernel", shape: [1500, 1000], trainable: true, decays: true }]);
  const weights = Float32Array.from({ length: layout.weights }, (_, i) => i);
  await saveLayersModel(folder, { topology: {}, layout, order: ["wide/kernel"], weights });
  assert.deepEqual((await readdir(folder)).sort(), ["group1-shard1of2.bin", "group1-shard2of2.bin", "model.json"]);
  assert.deepEqual(new Float32Array((await readModelFolder(folder)).weightData), weights);
});

test("a missing, damaged or foreign model is refused, naming the file", async () => {
  await saveLayersModel(folder, sample.artifact);
  const jsonPath = join(folder, "model.json");
  const shardPath = join(folder, "group1-shard1of1.bin");
  const json = await readFile(jsonPath, "utf8");
  const shard = await readFile(shardPath);
  const parsed = JSON.parse(json);
  const { userDefinedMetadata: _ours, ...foreign } = parsed;
  const refused = (named: string, because: RegExp, path = folder) =>
    assert.rejects(readModelFolder(path), (thrown) => {
      assert.ok(thrown instanceof LimbeckError && thrown.code === "bad_model", String(thrown));
      assert.ok(thrown.message.includes(named), thrown.message);
      assert.match(thrown.message, because);
      return true;
    });

  await refused(join(folder, "none"), /no such file/, join(folder, "none"));
  shard[10]! ^= 1;
  await writeFile(shardPath, shard);
  await refused(shardPath, /damaged/);
  await writeFile(shardPath, shard.subarray(4));
  await writeFile(jsonPath, JSON.stringify(foreign));
  await refused(shardPath, /hold \d+ bytes of weights/);
  await unlink(shardPath);
  await refused(shardPath, /no such file/);
  await writeFile(jsonPath, json.slice(0, 100));
  await refused(jsonPath, /not JSON/);
  await writeFile(jsonPath, JSON.stringify({ ...parsed, format: "graph-model" }));
  await refused(jsonPath, /graph model/);
  await writeFile(jsonPath, JSON.stringify({ ...parsed, weightsManifest: 3 }));
  await refused(jsonPath, /weightsManifest/);
  await unlink(jsonPath);
  await refused(jsonPath, /no such file/);
});
