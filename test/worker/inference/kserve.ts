/** A real gRPC server of the KServe v2 protocol, whose model is a perceptron. */
import { type Metadata, Server, ServerCredentials, status } from "@grpc/grpc-js";
import type { GRPCInferenceServiceHandlers } from "../../../proto/gen/inference/GRPCInferenceService.ts";
import { inferenceService } from "../../../proto/kserve.ts";
import { serverOptions } from "../../../proto/wire.ts";
import { logitsOf, type Perceptron } from "./perceptron.ts";

export interface KserveSettings {
  /** How the answer's numbers travel. */
  readonly contents?: "raw" | "typed";
  /** Shape of the input, -1 for a side that may be any. */
  readonly shape?: readonly number[];
  readonly isReady?: boolean;
  /** The first requests for an answer, so many, are refused as those of a server that is busy. */
  readonly busy?: number;
  /** Whether a request for an answer gets none. */
  readonly silent?: () => boolean;
  /** What it gives of the model's logits [examples, classes]; without it, themselves. */
  readonly output?: (logits: Float64Array, classes: number) => ArrayLike<number>;
  readonly port?: number;
  /** Without it, plain gRPC. */
  readonly credentials?: ServerCredentials;
  /** What `authorization` must be in every request; who asks otherwise is told what it said. */
  readonly authorization?: () => string;
}

export interface KserveServer {
  /** host:port */
  readonly address: string;
  /** Rows of each request that came for an answer. */
  readonly rows: number[];
  close(): void;
}

/** Serves the model `digits`, version 3. */
export async function serveKserve(model: Perceptron, settings: KserveSettings = {}): Promise<KserveServer> {
  const { contents = "raw", shape = [-1, model.inputs], isReady = true, silent = () => false, output: made } = settings;
  let { busy = 0 } = settings;
  const rows: number[] = [];
  const unknown = (name: string) => ({
    code: status.NOT_FOUND,
    details: `Request for unknown model: '${name}' is not found`,
  });
  const objection = (metadata: Metadata) => {
    const said = metadata.get("authorization").join();
    const isKnown = settings.authorization === undefined || said === settings.authorization();
    return isKnown ? null : { code: status.UNAUTHENTICATED, details: `who is "${said}"?` };
  };
  const handlers: GRPCInferenceServiceHandlers = {
    ServerReady: ({ metadata }, done) => done(objection(metadata), { ready: true }),
    ModelReady: ({ request }, done) =>
      request.name === "digits" ? done(null, { ready: isReady }) : done(unknown(request.name)),
    ModelMetadata: (_, done) =>
      done(null, {
        name: "digits",
        versions: ["3"],
        platform: "test",
        inputs: [{ name: "image", datatype: "FP32", shape: [...shape] }],
        outputs: [{ name: "scores", datatype: "FP32", shape: [-1, model.classes] }],
      }),
    ModelInfer: ({ request, metadata }, done) => {
      if (silent()) return;
      const refusal = objection(metadata);
      if (refusal) {
        done(refusal);
        return;
      }
      if (busy-- > 0) {
        done({ code: status.UNAVAILABLE, details: "the queue is full" });
        return;
      }
      const [input] = request.inputs;
      const raw = request.rawInputContents[0]!;
      const examples = new Float32Array(new Uint8Array(raw).buffer);
      const count = Number(input!.shape[0]);
      rows.push(count);
      const logits = logitsOf(model, examples, count);
      const scores = Float32Array.from(made ? made(logits, model.classes) : logits);
      const output = { name: "scores", datatype: "FP32", shape: [count, model.classes] };
      done(null, {
        modelName: request.modelName,
        modelVersion: "3",
        ...(contents === "raw"
          ? { outputs: [output], rawOutputContents: [Buffer.from(scores.buffer)] }
          : { outputs: [{ ...output, contents: { fp32Contents: [...scores] } }] }),
      });
    },
  };
  const server = new Server(serverOptions);
  server.addService(inferenceService, handlers);
  const port = await new Promise<number>((resolve, reject) => {
    const bound = (error: Error | null, at: number) => (error ? reject(error) : resolve(at));
    server.bindAsync(
      `127.0.0.1:${settings.port ?? 0}`,
      settings.credentials ?? ServerCredentials.createInsecure(),
      bound,
    );
  });
  return { address: `127.0.0.1:${port}`, rows, close: () => server.forceShutdown() };
}
