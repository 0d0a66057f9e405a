/** ONNX models, by onnxruntime-node. Its `run` blocks the thread that calls it, so it lives in the compute thread. */
import { createRequire } from "node:module";
import { LimbeckError } from "../../core/errors.ts";
import { statFile } from "../../proto/files.ts";
import { reasonOf } from "../learn/reason.ts";
import { fileAndAppendices, filesSha256 } from "./filedigest.ts";
import { chosenTensor, type DeclaredTensor, type Fit, type Runner, refused } from "./inference.ts";

/** What of the package is used: an optional dependency has no types where it is not installed. */
interface OnnxRuntime {
  readonly InferenceSession: { create(path: string, options: object): Promise<Session> };
  readonly Tensor: new (type: "float32", values: Float32Array, shape: readonly number[]) => OnnxTensor;
}

interface OnnxTensor {
  readonly dims: readonly number[];
  readonly data: unknown;
}

interface Session {
  readonly inputMetadata: readonly Metadata[];
  readonly outputMetadata: readonly Metadata[];
  run(feeds: Record<string, OnnxTensor>, fetches: readonly string[]): Promise<Record<string, OnnxTensor>>;
  release(): Promise<void>;
}

interface Metadata {
  readonly name: string;
  readonly isTensor: boolean;
  readonly type?: string;
  /** Of a side that may be any, its symbol. */
  readonly shape?: readonly (number | string)[];
}

const packageName = "onnxruntime-node";

/** @throws `bad_model` where the file or the runtime is not to be had */
export async function openOnnx(
  path: string,
  asked: { readonly input?: string | undefined; readonly output?: string | undefined; readonly threads: number },
  { field }: Fit,
): Promise<Runner> {
  const runtime = loadRuntime(path, field);
  const session = await openSession(runtime, path, asked.threads, field);
  try {
    const choice = { float32: "float32", field, model: path };
    const input = chosenTensor(session.inputMetadata.map(declared), { ...choice, kind: "input", given: asked.input });
    const output = chosenTensor(session.outputMetadata.map(declared), {
      ...choice,
      kind: "output",
      given: asked.output,
    });
    return {
      name: path,
      sha256: await filesSha256(await fileAndAppendices(path)),
      input,
      output,
      run: (values, shape) =>
        refused(`${field}: ${path} cannot compute`, async () => {
          const examples = new runtime.Tensor("float32", values, shape);
          const answers = await session.run({ [input.name]: examples }, [output.name]);
          const { dims, data } = answers[output.name]!;
          return { shape: dims, values: data as Float32Array };
        }),
      dispose: () => session.release(),
    };
  } catch (thrown) {
    await session.release();
    throw thrown;
  }
}

function loadRuntime(path: string, field: string): OnnxRuntime {
  try {
    return createRequire(import.meta.url)(packageName) as OnnxRuntime;
  } catch (cause) {
    const message = `${field}: ${path} needs the npm package ${packageName}, which is not installed or does not load here (npm install ${packageName}): ${reasonOf(cause)}`;
    throw new LimbeckError("bad_model", message, { cause });
  }
}

async function openSession({ InferenceSession }: OnnxRuntime, path: string, threads: number, field: string) {
  // Errors only: what it warns of, such as unused initializers, is nobody's fault here.
  const options = {
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionProviders: ["cpu"],
    logSeverityLevel: 3,
  };
  return await refused(`${field}: ${path} cannot be loaded as ONNX`, async () => {
    await statFile(path);
    return await InferenceSession.create(path, options);
  });
}

function declared({ name, type, shape }: Metadata): DeclaredTensor {
  const sides = shape?.map((side) => (typeof side === "number" && side >= 0 ? side : null));
  return { name, type: type ?? "no tensor", shape: sides ?? null };
}
