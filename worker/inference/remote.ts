/** A model on a server that speaks the KServe v2 protocol over gRPC. */

import { setTimeout } from "node:timers/promises";
import { type CallOptions, ChannelCredentials, type Metadata, type ServiceError, status } from "@grpc/grpc-js";
import { backoffMs } from "../../core/backoff.ts";
import { LimbeckError } from "../../core/errors.ts";
import type { RemoteSpec } from "../../core/jobteacher.ts";
import { sizeOf } from "../../core/layout.ts";
import { excerpt } from "../../core/words.ts";
import type { GRPCInferenceServiceClient } from "../../proto/gen/inference/GRPCInferenceService.ts";
import type { ModelInferResponse__Output } from "../../proto/gen/inference/ModelInferResponse.ts";
import type {
  ModelMetadataResponse__Output,
  _inference_ModelMetadataResponse_TensorMetadata__Output as TensorMetadata,
} from "../../proto/gen/inference/ModelMetadataResponse.ts";
import { inferenceClient } from "../../proto/kserve.ts";
import { sha256Hex } from "../artifacts/digest.ts";
import { Headers } from "./headers.ts";
import { bracketed, chosenTensor, type DeclaredTensor, type Fit, type Runner, type Tensor } from "./inference.ts";
import { handshakeProblem, openTls, type Tls } from "./tls.ts";

type Spec = RemoteSpec["remote"];

/** A server that is away or busy is asked again, until the time for the answer is over. */
const again = { firstMs: 100, longestMs: 2_000 };
/** A look whether a server is back. */
const lookSeconds = 2;
const passing: ReadonlySet<status> = new Set([status.UNAVAILABLE, status.RESOURCE_EXHAUSTED, status.CANCELLED]);

/**
 * @param folder what relative paths start from
 * @throws `server_away` where no server answers, or not for this model yet, `bad_model` where it does not have the model, or cannot be
 * spoken to as the job says
 */
export async function openRemote(spec: Spec, { field }: Fit, folder: string): Promise<Runner> {
  const own = `${field}.remote`;
  const tls = spec.tls ? await openTls(spec.tls, spec.address, { folder, field: `${own}.tls` }) : null;
  const server = new Server(spec, own, { tls, headers: new Headers(spec.headers ?? [], folder, `${own}.headers`) });
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

/** What it is spoken to with. */
interface Access {
  readonly tls: Tls | null;
  readonly headers: Headers;
}

class Server {
  readonly name: string;
  readonly #spec: Spec;
  readonly #field: string;
  readonly #access: Access;
  readonly #client: GRPCInferenceServiceClient;
  #isAway = false;

  constructor(spec: Spec, field: string, access: Access) {
    this.#spec = spec;
    this.#field = field;
    const version = spec.version === undefined ? "" : ` version ${spec.version}`;
    this.name = `${spec.model}${version} at ${spec.address}`;
    this.#access = access;
    this.#client = clientOf(spec.address, access.tls);
  }

  /** A server answers before it has loaded its models. */
  async ready(): Promise<void> {
    const server = await this.#call<Readiness>((...how) => this.#client.serverReady({}, ...how));
    this.#demand(server.ready, `the server at ${this.#spec.address}`);
    await this.#modelReady(this.#spec.timeoutSeconds);
  }

  async #modelReady(seconds: number): Promise<void> {
    const { model: name, version = "" } = this.#spec;
    const model = await this.#call<Readiness>((...how) => this.#client.modelReady({ name, version }, ...how), seconds);
    this.#demand(model.ready, this.name);
  }

  #demand(ready: boolean, whom: string): void {
    if (!ready) throw new LimbeckError("server_away", `${this.#field}: ${whom} says that it is not ready`);
  }

  metadata(): Promise<ModelMetadataResponse__Output> {
    const { model: name, version = "" } = this.#spec;
    return this.#call((...how) => this.#client.modelMetadata({ name, version }, ...how));
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
    const answer = await this.#patientOnce(() =>
      this.#call<ModelInferResponse__Output>((...how) => this.#client.modelInfer(request, ...how)),
    );
    return this.#tensorOf(answer, output);
  }

  /** One answer is waited for as long as may be. While the server has not come back, each further one is refused soon. */
  async #patientOnce<T>(ask: () => Promise<T>): Promise<T> {
    try {
      if (this.#isAway) await this.#modelReady(Math.min(lookSeconds, this.#spec.timeoutSeconds));
      const answer = await ask();
      this.#isAway = false;
      return answer;
    } catch (thrown) {
      this.#isAway = thrown instanceof LimbeckError && thrown.code === "server_away";
      throw thrown;
    }
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
    const message = `${this.#field}: ${this.name} answered ${values.length} values of ${excerpt(found.datatype)} as ${bracketed(found.shape)}, FP32 and ${count} are needed`;
    throw new LimbeckError("bad_model", message);
  }

  /** L7: one deadline over all attempts. */
  async #call<T>(ask: Ask<T>, seconds = this.#spec.timeoutSeconds): Promise<T> {
    const { tls, headers } = this.#access;
    const endMs = performance.now() + seconds * 1000;
    const leftMs = () => Math.max(endMs - performance.now(), 1);
    for (let attempt = 0; ; attempt++) {
      const metadata = await headers.read();
      const answered = await new Promise<Answered<T>>((resolve) => {
        const deadline = Date.now() + leftMs();
        ask(metadata, { deadline }, (error, answer) => resolve(error ? { error } : { answer: answer! }));
      });
      if ("answer" in answered) return answered.answer;
      const { error } = answered;
      if (error.code === status.UNAVAILABLE) {
        const problem = await handshakeProblem(this.#spec.address, tls, leftMs());
        if (problem) throw new LimbeckError("bad_model", `${this.#field}.tls: ${problem}`, { cause: error });
      }
      const waitMs = backoffMs(again, attempt, Math.random());
      if (waitMs >= leftMs() || !passing.has(error.code)) throw this.#failure(error, seconds);
      await setTimeout(waitMs);
    }
  }

  #failure(error: ServiceError, seconds: number): LimbeckError {
    const { code } = error;
    const details = excerpt(this.#access.headers.redacted(error.details), 1_000);
    if (passing.has(code) || code === status.DEADLINE_EXCEEDED) {
      const message = `${this.#field}: ${this.name} is away: no answer in ${seconds} s: ${details}`;
      return new LimbeckError("server_away", message, { cause: error });
    }
    return new LimbeckError("bad_model", `${this.#field}: ${this.name} refuses: ${status[code]}: ${details}`, {
      cause: error,
    });
  }
}

type Readiness = { readonly ready: boolean };
type Ask<T> = (
  metadata: Metadata,
  options: CallOptions,
  done: (error: ServiceError | null, answer?: T) => void,
) => unknown;
type Answered<T> = { readonly error: ServiceError } | { readonly answer: T };

function clientOf(address: string, tls: Tls | null): GRPCInferenceServiceClient {
  if (!tls) return inferenceClient(address, ChannelCredentials.createInsecure(), {});
  const credentials = ChannelCredentials.createFromSecureContext(tls.context, {
    checkServerIdentity: tls.checkIdentity,
  });
  return inferenceClient(
    address,
    credentials,
    tls.serverName ? { "grpc.ssl_target_name_override": tls.serverName } : {},
  );
}

/** Little-endian, at any offset of a message. */
function floatsOf(bytes: Uint8Array): Float32Array {
  return new Float32Array(new Uint8Array(bytes).buffer, 0, Math.floor(bytes.byteLength / 4));
}

function declared({ name, datatype, shape }: TensorMetadata): DeclaredTensor {
  return { name, type: datatype, shape: shape.length === 0 ? null : shape.map((side) => (side < 0 ? null : side)) };
}
