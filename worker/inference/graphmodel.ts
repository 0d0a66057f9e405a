/** tfjs GraphModels: a TensorFlow graph as tfjs's converter writes it, with no layers and nothing to train. */
import type * as tfjs from "@tensorflow/tfjs";
import { readModelFolder } from "../artifacts/tfjs.ts";
import type { TF } from "../engine/engine.ts";
import { filesSha256 } from "./filedigest.ts";
import { chosenTensor, type DeclaredTensor, type Fit, type Runner, refused } from "./inference.ts";

/** @param path folder or model.json */
export async function openGraphModel(
  tf: TF,
  path: string,
  asked: { readonly input?: string | undefined; readonly output?: string | undefined },
  { field }: Fit,
): Promise<Runner> {
  const { modelTopology, weightSpecs, weightData, signature, files } = await readModelFolder(path, "graph-model");
  const specs = weightSpecs as tfjs.io.WeightsManifestEntry[];
  const artifacts = { modelTopology, weightSpecs: specs, weightData, ...(signature && { signature }) };
  const model = await refused(`${field}: ${path} cannot be loaded as a tfjs GraphModel`, () =>
    tf.loadGraphModel(tf.io.fromMemory(artifacts)),
  );
  try {
    const choice = { float32: "float32", field, model: path };
    const input = chosenTensor(model.inputs.map(declared), { ...choice, kind: "input", given: asked.input });
    const output = chosenTensor(model.outputs.map(declared), { ...choice, kind: "output", given: asked.output });
    return {
      name: path,
      sha256: await filesSha256(files),
      input,
      output,
      run: (values, shape) =>
        refused(`${field}: ${path} cannot compute`, () => {
          const answer = tf.tidy(
            () => model.execute({ [input.name]: tf.tensor(values, [...shape]) }, output.name) as tfjs.Tensor,
          );
          const { shape: given, dtype } = answer;
          const data = answer.dataSync();
          answer.dispose();
          if (dtype !== "float32") throw new Error(`its output ${output.name} is ${dtype}, float32 is needed`);
          return { shape: given, values: data as Float32Array };
        }),
      async dispose() {
        model.dispose();
      },
    };
  } catch (thrown) {
    model.dispose();
    throw thrown;
  }
}

/** The type of most ops' output is not said, and shows when it is there. */
function declared({ name, dtype, shape }: tfjs.GraphModel["inputs"][number]): DeclaredTensor {
  return { name, type: dtype ?? "float32", shape: shape?.map((side) => (side < 0 ? null : side)) ?? null };
}
