/** What a caller that means well would ask of each method: where the attacks begin. */
import { packageVersion } from "../../../proto/package.ts";
import type { Method } from "./methods.ts";

/** What an attacker can know. */
export interface Known {
  /** Id of the job, of a service; else empty. */
  readonly job: string;
  readonly term: number;
  readonly digest: string;
  /** Of a job file. */
  readonly yaml: string;
}

const sha = "0123456789abcdef".repeat(4);

/** Throws where nobody has thought of the method. */
export function samplesOf({ path }: Method, known: Known): readonly object[] {
  const samples = byPath[path];
  if (!samples) throw new Error(`${path} has no sample: give test/fuzz/wire/samples.ts one, so that it is fuzzed, too`);
  return samples(known);
}

const reflection = () => [
  { host: "", listServices: "*" },
  { fileContainingSymbol: "limbeck.v1.Jobs" },
  { fileByFilename: "limbeck.proto" },
  { fileContainingExtension: { containingType: "limbeck.v1.Hello", extensionNumber: 7 } },
  { allExtensionNumbersOfType: "limbeck.v1.Hello" },
  { fileContainingSymbol: "__proto__" },
];
const health = () => [{ service: "" }, { service: "limbeck.v1.Coordinator" }];

/** The hello of somebody who is not one of the job's own workers. */
export function hello(name: string, role = "student"): object {
  const at = { address: "127.0.0.1:9", host: "elsewhere", http: "127.0.0.1:9" };
  return { term: 0, hello: { worker: name, role, ...at, build: packageVersion, pid: 7, instance: name, life: name } };
}

const answers = { predictions: Buffer.alloc(8), labels: Buffer.alloc(8), confidences: Buffer.alloc(16) };
const consumed = { examplesPerEpoch: 4_000, epochs: 1, seen: 4_000, duplicated: 0, missing: 0 };
const metrics = { examples: 128, loss: 100, hardLoss: 80, softLoss: 120, correct: 90, agree: 95 };
const phases = { data: 0.1, softTargets: 0.1, compute: 0.2, exchange: 0.1, apply: 0.1 };

/** All that a worker can say but that it failed, which ends the job: whoever may join may say so. */
function fromWorker({ term, digest }: Known): object[] {
  const at = { stage: "distil", step: 10 };
  const engine = { backend: "wasm", device: "cpu", threads: 1, why: "asked for", fingerprint: "f" };
  const dataset = { trainExamples: 4_000, evaluationExamples: 500, classes: 10, shape: [28, 28, 1], digest };
  const model = { folder: "student", format: "float32", bytes: 9, examples: 500, errors: 3, crossEntropy: 0.1 };
  const picture = { example: 3, shape: [2, 2, 1], pixels: Buffer.alloc(4) };
  const latencies = [{ batch: 1, medianSeconds: 0.1, p95Seconds: 0.2 }];
  const finding = { check: "models", severity: "ok", message: "they fit", evidence: { classes: 10 } };
  const bodies: object[] = [
    { heartbeat: { doing: "attacking", step: 3, residentBytes: 2 ** 30, servedExamples: 64, servingSeconds: 0.5 } },
    { prepared: { engine, dataset } },
    { prepared: { engine, noDataset: "it is not here" } },
    { ready: { parameters: 100, weightsSha256: sha, step: 10, holds: ["teach"], skipped: ["step-3: damaged"] } },
    { progress: { ...at, examples: 128, steps: 1, seconds: 0.5, metrics, phases, consumed, gradientNorm: 1 } },
    {
      evaluated: { ...at, last: true, chunks: 125, results: [{ chunk: 0, examples: 4, crossEntropy: 1, ...answers }] },
    },
    { stageDone: { ...at, weightsSha256: sha, consumed } },
    { exported: { stage: "distil", models: [{ ...model, latencies }], latencies, pictures: [picture] } },
    { checkpointed: { ...at, folder: "checkpoints/distil-10", bytes: 99 } },
    { caughtUp: { ...at, holds: ["teach"] } },
    { digest: { ...at, weightsSha256: sha } },
    { skipped: { ...at, lane: 1, examples: Buffer.alloc(64), why: "it is not finite" } },
    { suspect: { worker: "student-1", why: "it did not answer" } },
    { corrupted: { from: "student-1", kind: "partials", why: "its checksum differs" } },
    { warned: { why: "the disk is slow" } },
    { diagnosed: { stage: "distil", findings: JSON.stringify([finding]) } },
    { leaving: { why: "it has seen enough" } },
  ];
  return bodies.map((body) => ({ term, ...body }));
}

const byPath: Readonly<Record<string, (known: Known) => readonly object[]>> = {
  "/limbeck.v1.Coordinator/Join": (known) => [hello("mallory"), ...fromWorker(known)],
  "/limbeck.v1.Coordinator/Watch": ({ job }) => [
    { job, soFar: true },
    { job, from: 3, decisions: true },
  ],
  "/limbeck.v1.Coordinator/Status": ({ job }) => [{ job }, { job: "none" }],
  "/limbeck.v1.Coordinator/Stop": ({ job }) => [{ job, why: "an attack" }],
  "/limbeck.v1.Jobs/Submit": ({ yaml }) => [
    { job: yaml, name: "mallory", priority: 5, by: "mallory", sources: [{ path: "a.ts", text: "1" }] },
  ],
  "/limbeck.v1.Jobs/List": () => [{}],
  "/limbeck.v1.Jobs/Control": ({ job }) => [{ job, action: "pause", why: "an attack" }],
  "/limbeck.v1.Jobs/Artifacts": ({ job }) => [{ job }],
  "/limbeck.v1.Jobs/Fetch": ({ job }) => [
    { job, path: "job.yaml" },
    { job, path: "../../service.jsonl" },
  ],
  "/limbeck.v1.Teacher/SoftTargets": ({ term, digest }) => {
    const key = { teacher: "", dataset: digest, examples: Buffer.from(Uint32Array.of(1, 2, 3).buffer), view: 1 };
    const request = { term, request: 1, key, spareMs: 10 };
    return ["float16", "float32", "top3@4", "top999999@1e-300"].map((format) => ({ ...request, format }));
  },
  "/limbeck.v1.Peer/Pull": ({ term }) =>
    ["partials", "reduced", "teacher", "state", "sum", "snapshot", "delta", "nothing"].map((kind) => {
      return { term, kind, step: 3, slice: 0, host: "elsewhere", deadlineMs: 50 };
    }),
  "/grpc.health.v1.Health/Check": health,
  "/grpc.health.v1.Health/Watch": health,
  "/grpc.health.v1.Health/List": () => [{}],
  "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo": reflection,
  "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo": reflection,
};
