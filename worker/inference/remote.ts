/** A model on a server that speaks the KServe v2 protocol over gRPC. */

import { setTimeout } from "node:timers/promises";
import { type CallOptions, type ServiceError, status } from "@grpc/grpc-js";
import { backoffMs } from "../../core/backoff.ts";
import { LimbeckError } from "../../core/errors.ts";
import type { RemoteSpec } from "../../core/jobteacher.ts";
import { sizeOf } from "../../core/layout.ts";
import type { GRPCInferenceServiceClient } from "../../proto/gen/inference/GRPCInferenceService.ts";
import type { ModelInferResponse__Output } from "../../proto/gen/inference/ModelInferResponse.ts";
import type {
  ModelMetadataResponse__Output,
  _inference_ModelMetadataResponse_TensorMetadata__Output as TensorMetadata,
} from "../../proto/gen/inference/ModelMetadataResponse.ts";
import { inferenceClient } from "../../proto/kserve.ts";
import { sha256Hex } from "../artifacts/digest.ts";
import { chosenTensor, type DeclaredTensor, type Fit, type Runner, type Tensor } from "./inference.ts";

type Spec = RemoteSpec["remote"];

/** A server that is away or busy is asked again, until the time for the answer is over. */
const again = { firstMs: 100, longestMs: 2_000 };
const passing: ReadonlySet<status> = new Set([status.UNAVAILABLE, status.RESOURCE_EXHAUSTED]);

/** @throws `unavailable` or `timeout` where no server answers, `bad_model` where it does not have the model */
export async function openRemote(spec: Spec, { field }: Fit): Promise<Runner> {
  const server = new Server(spec, `${field}.remote`);
  try {
    await server.ready();
    const metadata = await server.metadata();
    const choice = { float32: "FP32", field: `${field}.remote`, model: server.name };
    const inputs = metadata.inputs.map(declared);
    const input = chosenTensor(inputs, { ...choice, kind: "input", given: spec.input });
    const output = chosenTensor(metadata.outputs.map(declared), { ...choice, kind: "output", given: spec.output });
    return {
      name: server.name,
      // A server shows no weights. Where it is does not count: another may serve the same model.
      sha256: sha256Hex(
        JSON.stringify([metadata.name, spec.version ?? "", metadata.versions, metadata.inputs, metadata.outputs]),
      ),
      input,
      output,
      run: (values, shape) => server.infer(input.name, output.name, { values, shape }),
      dispose: async () => server.close(),
    };
  } catch (thrown) {
    server.close();
    throw thrown;
  }
}

class Server {
  readonly name: string;
  readonly #spec: Spec;
  readonly #field: string;
  readonly #client: GRPCInferenceServiceClient;

  constructor(spec: Spec, field: string) {
    this.#spec = spec;
    this.#field = field;
    const version = spec.version === undefined ? "" : ` version ${spec.version}`;
    this.name = `${spec.model}${version} at ${spec.address}`;
    this.#client = inferenceClient(spec.address);
  }

  /** A server answers before it has loaded its models. */
  async ready(): Promise<void> {
    const { address, model: name, version = "" } = this.#spec;
    type Answer = { readonly ready: boolean };
    const server = await this.#call<Answer>((options, done) => this.#client.serverReady({}, options, done));
    this.#demand(server.ready, `the server at ${address}`);
    const model = await this.#call<Answer>((options, done) =>
      this.#client.modelReady({ name, version }, options, done),
    );
    this.#demand(model.ready, this.name);
  }

  #demand(ready: boolean, whom: string): void {
    if (!ready) throw new LimbeckError("unavailable", `${this.#field}: ${whom} says that it is not ready`);
  }

  metadata(): Promise<ModelMetadataResponse__Output> {
    const { model: name, version = "" } = this.#spec;
    return this.#call((options, done) => this.#client.modelMetadata({ name, version }, options, done));
  }

  async infer(input: string, output: string, { values, shape }: Tensor): Promise<Tensor> {
    const { model: modelName, version: modelVersion = "" } = this.#spec;
    const request = {
      modelName,
      modelVersion,
      inputs: [{ name: input, datatype: "FP32", shape: [...shape] }],
      outputs: [{ name: output }],
      rawInputContents: [Buffer.from(values.buffer, values.byteOffset, values.byteLength)],
    };
    const answer = await this.#call<ModelInferResponse__Output>((options, done) =>
      this.#client.modelInfer(request, options, done),
    );
    return this.#tensorOf(answer, output);
  }

  close(): void {
    this.#client.close();
  }

  /** Raw where the server says so, else typed; it may also give outputs nobody asked for. */
  #tensorOf({ outputs, rawOutputContents }: ModelInferResponse__Output, name: string): Tensor {
    const at = outputs.findIndex((output) => output.name === name);
    const found = outputs[at];
    if (!found) throw new LimbeckError("bad_model", `${this.#field}: ${this.name} answered without the output ${name}`);
    const raw = rawOutputContents[at];
    const count = sizeOf(found.shape);
    const values = raw ? floatsOf(raw) : Float32Array.from(found.contents?.fp32Contents ?? []);
    if (found.datatype === "FP32" && values.length === count) return { shape: found.shape, values };
    const message = `${this.#field}: ${this.name} answered ${values.length} values of ${found.datatype} as [${found.shape.join(", ")}], FP32 and ${count} are needed`;
    throw new LimbeckError("bad_model", message);
  }

  /** L7: one deadline over all attempts. */
  async #call<T>(
    ask: (options: CallOptions, done: (error: ServiceError | null, answer?: T) => void) => void,
  ): Promise<T> {
    const endMs = performance.now() + this.#spec.timeoutSeconds * 1000;
    for (let attempt = 0; ; attempt++) {
      try {
        return await new Promise<T>((resolve, reject) => {
          const deadline = Date.now() + Math.max(endMs - performance.now(), 1);
          ask({ deadline }, (error, answer) => (error ? reject(error) : resolve(answer!)));
        });
      } catch (thrown) {
        const waitMs = backoffMs(again, attempt, Math.random());
        const isOver = performance.now() + waitMs >= endMs;
        if (isOver || !passing.has((thrown as ServiceError).code)) throw this.#failure(thrown as ServiceError);
        await setTimeout(waitMs);
      }
    }
  }

  #failure(error: ServiceError): LimbeckError {
    const { code, details } = error;
    const { timeoutSeconds } = this.#spec;
    if (passing.has(code) || code === status.DEADLINE_EXCEEDED) {
      const message = `${this.#field}: no answer of ${this.name} in ${timeoutSeconds} s: ${details}`;
      return new LimbeckError(code === status.DEADLINE_EXCEEDED ? "timeout" : "unavailable", message, { cause: error });
    }
    return new LimbeckError("bad_model", `${this.#field}: ${this.name} refuses: ${status[code]}: ${details}`, {
      cause: error,
    });
  }
}

/** Little-endian, at any offset of a message. */
function floatsOf(bytes: Uint8Array): Float32Array {
  return new Float32Array(new Uint8Array(bytes).buffer, 0, Math.floor(bytes.byteLength / 4));
}

function declared({ name, datatype, shape }: TensorMetadata): DeclaredTensor {
  return { name, type: datatype, shape: shape.length === 0 ? null : shape.map((side) => (side < 0 ? null : side)) };
}
