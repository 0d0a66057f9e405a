/** Models as tfjs LayersModel folders: model.json and weight shards, as `tf.loadLayersModel` reads them. */
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { LimbeckError } from "../../core/errors.ts";
import { sizeOf } from "../../core/layout.ts";
import { parseJson } from "../../core/nesting.ts";
import { excerpt } from "../../core/words.ts";
import { readFileWithin } from "../../proto/files.ts";
import { bytesOf, joinBytes } from "./bytes.ts";
import { sha256Hex, weightsInOrder } from "./digest.ts";
import { writeFolderWhole } from "./durable.ts";
import type { ModelArtifact } from "./model.ts";
import { findShards } from "./shards.ts";

/** A weight as model.json describes it. */
export interface WeightSpec {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: "float32" | "int32" | "bool" | "complex64";
  /** How the bytes decode where they are narrower; value = code·scale + min for integers. */
  readonly quantization?: {
    readonly dtype: "uint8" | "uint16" | "float16";
    readonly original_dtype?: string;
    readonly scale?: number;
    readonly min?: number;
  };
}

export interface EncodedWeight {
  readonly spec: WeightSpec;
  readonly bytes: Uint8Array;
}

export interface SavedModel {
  readonly folder: string;
  /** Of all its files. */
  readonly bytes: number;
}

const modelFile = "model.json";
// What tfjs's own converter uses: small enough for browsers to cache.
const shardBytes = 4 << 20;
/** Of model.json: graphs of large models have some MiB. */
const mostJsonBytes = 64 << 20;

/**
 * Saves a model in float32, in place of a model of that folder.
 * @param metadata kept as userDefinedMetadata
 * @throws LimbeckError `unavailable` where the disk does not take it; the folder is then as it was
 */
export async function saveLayersModel(
  folder: string,
  artifact: ModelArtifact,
  metadata: Readonly<Record<string, unknown>> = {},
): Promise<SavedModel> {
  const weights = namedWeights(artifact).map(({ name, shape, values }): EncodedWeight => {
    return { spec: { name, shape, dtype: "float32" }, bytes: bytesOf(values) };
  });
  return saveEncoded(folder, artifact.topology, weights, metadata);
}

/** A model's weights in its own order. */
export function namedWeights(
  artifact: ModelArtifact,
): { name: string; shape: readonly number[]; values: Float32Array }[] {
  const { order, layout, weights } = artifact;
  const shapes = new Map(layout.parameters.map(({ name, shape }) => [name, shape]));
  return weightsInOrder(order, layout, weights).map((values, i) => {
    return { name: order[i]!, shape: shapes.get(order[i]!)!, values };
  });
}

/** Saves a model whose weights are encoded. Shards are listed with their sha256, which `readModelFolder` checks. */
export async function saveEncoded(
  folder: string,
  topology: unknown,
  weights: readonly EncodedWeight[],
  metadata: Readonly<Record<string, unknown>>,
): Promise<SavedModel> {
  const all = joinBytes(weights.map(({ bytes }) => bytes));
  const count = Math.max(1, Math.ceil(all.length / shardBytes));
  return writeFolderWhole(folder, modelFile, async (write) => {
    const shards: Record<string, string> = {};
    for (let i = 0; i < count; i++) {
      const name = `group1-shard${i + 1}of${count}.bin`;
      shards[name] = (await write(name, all.subarray(i * shardBytes, (i + 1) * shardBytes))).sha256;
    }
    const model = {
      format: "layers-model",
      generatedBy: "Limbeck",
      convertedBy: null,
      modelTopology: topology,
      userDefinedMetadata: { ...metadata, shardSha256: shards },
      weightsManifest: [{ paths: Object.keys(shards), weights: weights.map(({ spec }) => spec) }],
    };
    const { bytes } = await write(modelFile, JSON.stringify(model));
    return { folder, bytes: bytes + all.length };
  });
}

export interface ModelFolder {
  readonly modelTopology: object;
  readonly weightSpecs: readonly WeightSpec[];
  readonly weightData: ArrayBuffer;
  /** Of a graph model: its inputs and outputs. */
  readonly signature?: object;
  /** model.json, and the files it names in their order. */
  readonly files: readonly string[];
}

type ModelFormat = "layers-model" | "graph-model";

// Loose: other tools add keys of their own.
const modelSchema = z.looseObject({
  format: z.string().optional(),
  modelTopology: z.looseObject({}),
  signature: z.looseObject({}).optional(),
  userDefinedMetadata: z.looseObject({ shardSha256: z.record(z.string(), z.string()).optional() }).optional(),
  weightsManifest: z.array(
    z.looseObject({
      paths: z.array(z.string()),
      weights: z.array(
        z.looseObject({
          name: z.string(),
          shape: z.array(z.int().min(0)),
          dtype: z.enum(["float32", "int32", "bool", "complex64"]),
          quantization: z
            .looseObject({
              dtype: z.enum(["uint8", "uint16", "float16"]),
              original_dtype: z.string().optional(),
              scale: z.number().optional(),
              min: z.number().optional(),
            })
            .optional(),
        }),
      ),
    }),
  ),
});
const widths = { float32: 4, int32: 4, bool: 1, complex64: 8, uint8: 1, uint16: 2, float16: 2 } as const;

/**
 * Reads a model, ours or any other tool's, quantised or not; give the parts to `tf.io.fromMemory`. Nothing is read that
 * lies outside of its folder, and no more than the weights it describes.
 * @param path the folder, or its model.json
 * @throws LimbeckError `bad_model` naming the file that is missing, damaged or not of the format
 */
export async function readModelFolder(path: string, format: ModelFormat = "layers-model"): Promise<ModelFolder> {
  const isFolder = await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
  const jsonPath = isFolder ? join(path, modelFile) : path;
  const model = parseModel(await readBytes(jsonPath, "the model", mostJsonBytes), jsonPath, format);
  const specs = model.weightsManifest.flatMap(({ weights }) => weights) as readonly WeightSpec[];
  const shards = await findShards(
    jsonPath,
    model.weightsManifest.map(({ paths }) => paths),
  );
  for (const [at, { weights }] of model.weightsManifest.entries()) {
    const held = shards[at]!.reduce((sum, { bytes }) => sum + bytes, 0);
    const described = (weights as readonly WeightSpec[]).reduce((sum, spec) => sum + specBytes(spec), 0);
    if (held === described) continue;
    const files = excerpt(shards[at]!.map(({ path }) => path).join(", "), 400) || "no files";
    throw new LimbeckError("bad_model", `${files} hold ${held} bytes of weights, ${jsonPath} describes ${described}`);
  }
  const parts: Uint8Array[] = [];
  const digests = model.userDefinedMetadata?.shardSha256 ?? {};
  for (const { name, path: shardPath, bytes } of shards.flat()) {
    const shard = await readBytes(shardPath, `weights that ${jsonPath} names`, bytes);
    const isDamaged = Object.hasOwn(digests, name) && digests[name] !== sha256Hex(shard);
    if (isDamaged || shard.length !== bytes) {
      throw new LimbeckError("bad_model", `${shardPath} is damaged: its sha256 is not the one in ${jsonPath}`);
    }
    parts.push(shard);
  }
  const { modelTopology, signature } = model;
  const weightData = joinBytes(parts).buffer;
  const files = [jsonPath, ...shards.flat().map((shard) => shard.path)];
  return { modelTopology, weightSpecs: specs, weightData, ...(signature && { signature }), files };
}

/** How many numbers the weights of a model are, decoded. */
export function weightCount(specs: readonly WeightSpec[]): number {
  return specs.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
}

function parseModel(bytes: Uint8Array, path: string, format: ModelFormat): z.output<typeof modelSchema> {
  let raw: unknown;
  try {
    raw = parseJson(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw new LimbeckError("bad_model", `${path} is not JSON`, { cause });
  }
  const parsed = modelSchema.safeParse(raw);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const where = issue?.path.join(".");
    throw new LimbeckError(
      "bad_model",
      `${path} is not a tfjs ${format === "layers-model" ? "LayersModel" : "GraphModel"}: ${where ? `${excerpt(where)}: ` : ""}${issue?.message}`,
    );
  }
  const isGraph = parsed.data.format === "graph-model";
  if (isGraph && format === "layers-model") {
    throw new LimbeckError("bad_model", `${path} is a tfjs graph model, which has no layers: a LayersModel is needed`);
  }
  if (!isGraph && format === "graph-model") {
    throw new LimbeckError(
      "bad_model",
      `${path} is not a tfjs graph model: its format is ${excerpt(parsed.data.format ?? "not said")}`,
    );
  }
  return parsed.data;
}

function specBytes({ shape, dtype, quantization }: WeightSpec): number {
  return shape.reduce((product, side) => product * side, widths[quantization?.dtype ?? dtype]);
}

async function readBytes(path: string, what: string, mostBytes: number): Promise<Uint8Array> {
  try {
    return await readFileWithin(path, mostBytes);
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const reason = code === "ENOENT" || code === "ENOTDIR" ? "no such file" : message;
    throw new LimbeckError("bad_model", `cannot read ${what} at ${path}: ${reason}`, { cause });
  }
}
