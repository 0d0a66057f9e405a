/** What a server answers that a remote teacher asks: bytes of messages, over a real connection. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Server, ServerCredentials, type sendUnaryData, type UntypedServiceImplementation } from "@grpc/grpc-js";
import { teacher } from "../../../../core/jobteacher.ts";
import { inferenceService } from "../../../../proto/kserve.ts";
import type { Engine } from "../../../../worker/engine/engine.ts";
import { openModel } from "../../../../worker/inference/open.ts";
import { Network } from "../../../../worker/learn/network.ts";
import { type Folder, type Nasty, promise, type Target, withFiles } from "../target.ts";

const shape = [2, 3, 1];
const classes = 3;
const { ModelMetadata, ModelInfer } = inferenceService;
const tensor = (name: string, sides: readonly number[], datatype = "FP32") => ({ name, datatype, shape: [...sides] });
const declared = {
  name: "digits",
  versions: ["3"],
  platform: "test",
  inputs: [tensor("image", [-1, ...shape])],
  outputs: [tensor("scores", [-1, classes])],
};
const scores = Float32Array.of(1, 2, 3, 4, 5, 6);
const raw = {
  modelName: "digits",
  outputs: [tensor("scores", [2, classes])],
  rawOutputContents: [Buffer.from(scores.buffer)],
};
const typed = {
  modelName: "digits",
  outputs: [{ ...tensor("scores", [2, classes]), contents: { fp32Contents: [...scores] } }],
};

const metadata = (message: object) => ({ metadata: ModelMetadata.responseSerialize(message as never) });
const infer = (message: object) => ({ infer: ModelInfer.responseSerialize(message as never) });
const seed: Folder = { files: { ...metadata(declared), ...infer(raw) } };
const refused = (files: Record<string, Uint8Array>): Nasty => ({ ...withFiles(seed, files), must: "be refused" });
const output = (fields: object) => refused(infer({ ...raw, outputs: [{ ...raw.outputs[0], ...fields }] }));

/** The service, whose answers are bytes already. */
const service = Object.fromEntries(
  Object.entries(inferenceService).map(([name, method]) => [
    name,
    { ...method, responseSerialize: (answer: Buffer) => answer },
  ]),
);

export const target: Target = {
  async open() {
    let answers: Readonly<Record<"metadata" | "infer", Buffer>>;
    const ready = inferenceService.ServerReady.responseSerialize({ ready: true });
    const give = (answer: () => Buffer) => (_: unknown, done: sendUnaryData<Buffer>) => done(null, answer());
    const server = new Server();
    const handlers: UntypedServiceImplementation = {
      ServerReady: give(() => ready),
      ModelReady: give(() => ready),
      ModelMetadata: give(() => answers.metadata),
      ModelInfer: give(() => answers.infer),
    };
    server.addService(service as typeof inferenceService, handlers as never);
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, at) =>
        error ? reject(error) : resolve(at),
      );
    });
    const spec = teacher.parse({ remote: { address: `127.0.0.1:${port}`, model: "digits", timeoutSeconds: 5 } });
    const request = { inputShape: shape, classes, seed: 1, jobFolder: "/", role: "teacher", temperature: 2, spec };
    return {
      seeds: [seed, withFiles(seed, infer(typed))],
      nasties: {
        nothing: refused({ metadata: new Uint8Array() }),
        "no answer": refused({ infer: new Uint8Array() }),
        "sides below 0": output({ shape: [-2, -3] }),
        "sides of 2^62": output({ shape: ["4611686018427387904", "4"] }),
        "a hundred thousand sides": output({ shape: Array(100_000).fill(1) }),
        "another type": output({ datatype: "BYTES" }),
        "a type of a megabyte": output({ datatype: "x".repeat(1 << 20) }),
        "fewer values": refused(infer({ ...raw, rawOutputContents: [Buffer.alloc(3)] })),
        "a hundred thousand outputs": refused(
          metadata({ ...declared, outputs: Array(100_000).fill(declared.outputs[0]) }),
        ),
        "no inputs": refused(metadata({ ...declared, inputs: [] })),
        "a name of a megabyte": refused(metadata({ ...declared, inputs: [tensor("x".repeat(1 << 20), [7])] })),
        "a batch of 2^53": refused(metadata({ ...declared, inputs: [tensor("image", [2 ** 53 - 1, ...shape])] })),
        "a batch of a billion": refused(metadata({ ...declared, inputs: [tensor("image", [1e9, ...shape])] })),
        "a batch of 0": refused(metadata({ ...declared, inputs: [tensor("image", [0, ...shape])] })),
      },
      names: /\bteacher\.remote\b/,
      async read(folder) {
        const read = (name: string) => readFile(join(folder, name)).catch(() => Buffer.alloc(0));
        answers = { metadata: await read("metadata"), infer: await read("infer") };
        // The engine is for models that are computed here.
        const opened = await openModel({} as Engine, request);
        promise(!(opened instanceof Network), "it is a network");
        try {
          const logits = await opened.logits(new Float32Array(2 * 6), 2);
          promise(logits.length === 2 * classes, "it gives no logits");
        } finally {
          await opened.dispose();
        }
      },
      close: () => server.forceShutdown(),
    };
  },
};
