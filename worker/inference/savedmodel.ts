/** TensorFlow SavedModels, by the TensorFlow under tfjs-node: its own session, with the graph and variables as they were saved. */
import type * as tfjs from "@tensorflow/tfjs";
import { LimbeckError } from "../../core/errors.ts";
import type { Engine, SavedModels } from "../engine/engine.ts";
import { filesBelow, filesSha256 } from "./filedigest.ts";
import { chosenTensor, type DeclaredTensor, type Fit, type Runner, refused } from "./inference.ts";

/** What tfjs-node and TensorFlow's own exporter name what is to be served. */
const tags = ["serve"];
const defaultSignature = "serving_default";

type Signature = { readonly inputs: readonly DeclaredTensor[]; readonly outputs: readonly DeclaredTensor[] };

/** @param path folder that holds saved_model.pb */
export async function openSavedModel(
  { tf, info, savedModels }: Engine,
  path: string,
  asked: {
    readonly input?: string | undefined;
    readonly output?: string | undefined;
    readonly signature?: string | undefined;
  },
  { field }: Fit,
): Promise<Runner> {
  if (savedModels === null) {
    const message = `${field}: the SavedModel ${path} needs TensorFlow, the engine here is ${info.backend}: ${info.why}`;
    throw new LimbeckError("bad_model", message);
  }
  const name = asked.signature ?? defaultSignature;
  const signature = await signatureOf(savedModels, path, name, field);
  const choice = { float32: "float32", field, model: path };
  const input = chosenTensor(signature.inputs, { ...choice, kind: "input", given: asked.input });
  const output = chosenTensor(signature.outputs, { ...choice, kind: "output", given: asked.output });
  if (signature.inputs.length > 1) {
    const message = `${field}: the signature ${name} of ${path} has ${signature.inputs.length} inputs, and all are needed at once: only one is supported`;
    throw new LimbeckError("bad_model", message);
  }
  const model = await refused(`${field}: ${path} cannot be loaded as a SavedModel`, () =>
    savedModels.loadSavedModel(path, tags, name),
  );
  return {
    name: path,
    sha256: await filesSha256(await filesBelow(path)),
    input,
    output,
    run: (values, shape) =>
      refused(`${field}: ${path} cannot compute`, () => {
        const examples = tf.tensor(values, [...shape]);
        const answers = model.predict({ [input.name]: examples }, {}) as Record<string, tfjs.Tensor>;
        const { shape: given } = answers[output.name]!;
        const tensor = { shape: given, values: answers[output.name]!.dataSync<"float32">() };
        tf.dispose([examples, answers]);
        return tensor;
      }),
    async dispose() {
      model.dispose();
    },
  };
}

async function signatureOf(models: SavedModels, path: string, name: string, field: string): Promise<Signature> {
  const graphs = await refused(`${field}: ${path} cannot be read as a SavedModel`, () =>
    models.getMetaGraphsFromSavedModel(path),
  );
  const served = graphs.find((graph) => graph.tags.join() === tags.join());
  if (!served) {
    const found = graphs.map((graph) => `[${graph.tags.join(", ")}]`).join(", ") || "none";
    throw new LimbeckError("bad_model", `${field}: ${path} has no graph of tags [${tags}], only ${found}`);
  }
  const signature = served.signatureDefs[name];
  if (!signature) {
    const known = Object.keys(served.signatureDefs).join(", ") || "none";
    throw new LimbeckError("bad_model", `${field}.signature: ${path} has no signature ${name}, it has ${known}`);
  }
  const tensors = (infos: typeof signature.inputs) =>
    Object.entries(infos).map(([key, { dtype, shape }]): DeclaredTensor => {
      const sides = (shape ?? []).map(sideOf);
      // A shape that is not known has no sides either.
      return { name: key, type: dtype, shape: sides.length === 0 ? null : sides };
    });
  return { inputs: tensors(signature.inputs), outputs: tensors(signature.outputs) };
}

/** tfjs-node says number and gives the protobuf message that it read. */
function sideOf(dimension: unknown): number | null {
  const size = (dimension as { getSize(): number }).getSize();
  return size < 0 ? null : size;
}
