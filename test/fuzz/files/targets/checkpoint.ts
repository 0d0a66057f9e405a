/** Checkpoints: their manifests, and the files that go with them. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { latestCheckpoint, loadCheckpoint, saveCheckpoint } from "../../../../worker/artifacts/checkpoint.ts";
import { sha256Hex } from "../../../../worker/artifacts/digest.ts";
import { sealManifest } from "../../../../worker/artifacts/sealed.ts";
import { sampleCheckpoint } from "../../../worker/artifacts/sample.ts";
import { safetensorsFile } from "../generate.ts";
import { type Folder, inScratch, jsonOf, type Nasty, promise, readFolder, type Target, withFiles } from "../target.ts";

export const checkpointFolder = "distil-00000012";
const path = (name: string) => `${checkpointFolder}/${name}`;
const manifestPath = path("manifest.json");

interface Sealed {
  manifest: Record<string, unknown> & { files?: Record<string, unknown> };
}

/** As the product writes it. */
export function checkpointSeed(): Promise<Folder> {
  return inScratch(async (root) => {
    const { folder } = await saveCheckpoint(root, sampleCheckpoint(12));
    return readFolder(folder, checkpointFolder);
  });
}

/** The manifest says of the files what they are, and is sealed. */
export function mendCheckpoint(folder: Folder, prefix = ""): Folder {
  try {
    const { manifest } = jsonOf<Sealed>(folder, prefix + manifestPath);
    for (const name of Object.keys(manifest.files ?? {})) {
      const content = folder.files[prefix + path(name)];
      if (content) manifest.files![name] = { bytes: content.length, sha256: sha256Hex(content) };
    }
    return withFiles(folder, { [prefix + manifestPath]: sealManifest(manifest) });
  } catch {
    return folder; // There is no manifest to mend.
  }
}

export const target: Target = {
  async open() {
    const seed = await checkpointSeed();
    const { manifest } = jsonOf<Sealed>(seed, manifestPath);
    const sealed = (changed: object): Nasty => ({
      ...withFiles(seed, { [manifestPath]: sealManifest({ ...manifest, ...changed }) }),
      must: "be refused",
    });
    const refilled = (name: string, content: Uint8Array): Nasty => ({
      ...mendCheckpoint(withFiles(seed, { [path(name)]: content })),
      must: "be refused",
    });
    const tensor = (tensorName: string, dtype: string, shape: number[], bytes: number) =>
      safetensorsFile(
        JSON.stringify({ [tensorName]: { dtype, shape, data_offsets: [0, bytes] } }),
        Buffer.alloc(bytes),
      );
    const parameter = { name: "huge", trainable: true, decays: true };
    return {
      seeds: [seed],
      nasties: {
        "a shape of 2^62": sealed({ parameters: [{ ...parameter, shape: [2 ** 31, 2 ** 31] }] }),
        "a shape that overflows": sealed({ parameters: [{ ...parameter, shape: Array(50).fill(2 ** 50) }] }),
        "no parameters": sealed({ parameters: [] }),
        "slots that are not there": sealed({ slots: ["a", "b", "c"] }),
        "no slots": sealed({ slots: [] }),
        "a slot twice": sealed({ slots: ["m", "m"] }),
        "a step that is no number": sealed({ step: "12" }),
        "a version to come": sealed({ version: 3 }),
        "files that lie elsewhere": sealed({
          files: { ...manifest.files, "../../canary": { bytes: 1, sha256: "a".repeat(64) } },
        }),
        "weights of another type": refilled("weights.safetensors", tensor("dense/kernel", "U8", [3], 3)),
        "weights that lack": refilled("weights.safetensors", tensor("dense/kernel", "F32", [30, 20], 2_400)),
        "weights of another shape": refilled("weights.safetensors", tensor("dense/kernel", "F32", [1], 4)),
        "state of another size": refilled("optimizer.safetensors", tensor("m", "F32", [1], 4)),
        "a ledger of floats": refilled("ledger.safetensors", tensor("seen", "F32", [1], 4)),
        "a manifest of lists in lists": {
          ...withFiles(seed, { [manifestPath]: `{"manifest":${"[".repeat(100_000)}${"]".repeat(100_000)}}` }),
          must: "be refused",
        },
        "a manifest that is null": { ...withFiles(seed, { [manifestPath]: "null" }), must: "be refused" },
        "a manifest without an end": { files: {}, links: { [manifestPath]: "/dev/zero" }, must: "be refused" },
        "a folder in place of weights": {
          files: { [manifestPath]: seed.files[manifestPath]!, [path("weights.safetensors/x")]: Buffer.alloc(1) },
          must: "be refused",
        },
        "names of others": {
          ...seed,
          files: {
            ...seed.files,
            "distil-99999999999999999999999/x": Buffer.alloc(1),
            ".distil-00000013.old-h-1-00000000/x": Buffer.alloc(1),
          },
          must: "be taken",
        },
      },
      mend: (folder) => mendCheckpoint(folder),
      async read(folder) {
        const { latest, skipped } = await latestCheckpoint(folder, "distil");
        promise(
          latest !== null || skipped.length > 0 || !readdirSync(folder).includes(checkpointFolder),
          "it is not told of",
        );
        const { layout, weights, optimizer, ledger } = await loadCheckpoint(join(folder, checkpointFolder));
        promise(
          weights.length === layout.weights,
          `it has ${weights.length} weights, and a layout of ${layout.weights}`,
        );
        const { slots, state } = optimizer;
        promise(
          state.length === slots.length * layout.trainable,
          `it has a state of ${state.length} in ${slots.length} slots`,
        );
        promise(ledger.seen instanceof Uint8Array, "its ledger is no bytes");
      },
    };
  },
};
