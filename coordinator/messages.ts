/** What workers say, understood: parsed at the door, so that inside the types are true. */
import { type Finding, severities } from "../core/doctor/finding.ts";
import { LimbeckError, type LimbeckErrorCode } from "../core/errors.ts";
import type { Exported, ExportedModel, LedgerTotals, Picture } from "../core/finishedstage.ts";
import { parseJson } from "../core/nesting.ts";
import { plain } from "../core/plaintext.ts";
import { isProcessName, neededName } from "../core/processname.ts";
import type { ReportedEngine } from "../core/report.ts";
import type { Stage } from "../core/stages.ts";
import type { CaughtUp__Output } from "../proto/gen/limbeck/v1/CaughtUp.ts";
import type { Checkpointed__Output } from "../proto/gen/limbeck/v1/Checkpointed.ts";
import type { Corrupted__Output } from "../proto/gen/limbeck/v1/Corrupted.ts";
import type { DatasetInfo__Output } from "../proto/gen/limbeck/v1/DatasetInfo.ts";
import type { EvaluatedChunk__Output } from "../proto/gen/limbeck/v1/EvaluatedChunk.ts";
import type { ExportedModel__Output } from "../proto/gen/limbeck/v1/ExportedModel.ts";
import type { FromWorker__Output } from "../proto/gen/limbeck/v1/FromWorker.ts";
import type { Heartbeat__Output } from "../proto/gen/limbeck/v1/Heartbeat.ts";
import type { Hello__Output } from "../proto/gen/limbeck/v1/Hello.ts";
import type { Metrics__Output } from "../proto/gen/limbeck/v1/Metrics.ts";
import type { PhaseSeconds__Output } from "../proto/gen/limbeck/v1/PhaseSeconds.ts";
import type { Picture__Output } from "../proto/gen/limbeck/v1/Picture.ts";
import type { Prepared__Output } from "../proto/gen/limbeck/v1/Prepared.ts";
import type { Progress__Output } from "../proto/gen/limbeck/v1/Progress.ts";
import type { Ready__Output } from "../proto/gen/limbeck/v1/Ready.ts";
import type { Suspect__Output } from "../proto/gen/limbeck/v1/Suspect.ts";
import { isErrorCode } from "../proto/status.ts";
import { checkAmounts, checkCount, checkNames, shorten } from "./bounds.ts";

export type Role = "student" | "teacher";

export interface Hello extends Hello__Output {
  readonly role: Role | "auto";
}

export interface Digest {
  readonly stage: Stage;
  readonly step: number;
  readonly weightsSha256: string;
}

/** A lane whose gradient is not finite. */
export interface Skipped {
  readonly stage: Stage;
  readonly step: number;
  readonly lane: number;
  /** Ids in the training split. */
  readonly examples: readonly number[];
  readonly why: string;
}

export interface Progress extends Progress__Output {
  readonly stage: Stage;
  readonly metrics: Metrics__Output;
  readonly phases: PhaseSeconds__Output;
}

export interface EvaluatedChunk {
  readonly chunk: number;
  readonly examples: number;
  /** Sum over the examples, nats. */
  readonly crossEntropy: number;
  readonly predictions: Uint16Array;
  readonly labels: Uint16Array;
  readonly confidences: Float32Array;
}

export interface Evaluated {
  readonly stage: Stage;
  readonly step: number;
  readonly last: boolean;
  readonly chunks: number;
  readonly results: readonly EvaluatedChunk[];
}

export interface StageDone {
  readonly stage: Stage;
  readonly step: number;
  readonly weightsSha256: string;
  readonly consumed: LedgerTotals;
}

export type WorkerMessage = { readonly term: number } & (
  | ({ readonly kind: "hello" } & Hello)
  | ({ readonly kind: "heartbeat" } & Heartbeat__Output)
  | ({ readonly kind: "prepared"; readonly engine: ReportedEngine } & Pick<Prepared__Output, "dataset" | "noDataset">)
  | ({ readonly kind: "ready" } & Ready__Output)
  | ({ readonly kind: "progress" } & Progress)
  | ({ readonly kind: "evaluated" } & Evaluated)
  | ({ readonly kind: "stageDone" } & StageDone)
  | ({ readonly kind: "exported"; readonly stage: Stage } & Exported)
  | ({ readonly kind: "checkpointed" } & Checkpointed__Output & { readonly stage: Stage })
  | { readonly kind: "failed"; readonly code: LimbeckErrorCode; readonly message: string }
  | { readonly kind: "leaving"; readonly why: string }
  | ({ readonly kind: "caughtUp" } & CaughtUp__Output & { readonly stage: Stage })
  | ({ readonly kind: "digest" } & Digest)
  | ({ readonly kind: "skipped" } & Skipped)
  | ({ readonly kind: "suspect" } & Suspect__Output)
  | { readonly kind: "diagnosed"; readonly stage: Stage; readonly findings: readonly Finding[] }
  | { readonly kind: "corrupted"; readonly from: string; readonly what: string; readonly why: string }
  | { readonly kind: "warned"; readonly why: string }
);

export type MessageOf<K extends WorkerMessage["kind"]> = Extract<WorkerMessage, { kind: K }>;

/** JSON, which is checked as such. */
const noSentences: ReadonlySet<string> = new Set(["findings"]);
const [mostStages, mostDimensions, mostFindings] = [8, 8, 64];
/** Ids of examples are uint32 on the wire, and classes that are reported uint16. */
const [mostExamples, mostClasses] = [2 ** 32, 2 ** 16];

/** Cuts its sentences, where they are too long. Throws `corrupt` where the message says what no worker of this build would. */
export function understand(message: FromWorker__Output): WorkerMessage {
  if (message.body === undefined) throw new LimbeckError("corrupt", "a message without a body arrived");
  shorten(message, noSentences);
  return understandBody(message, message.body);
}

function understandBody(message: FromWorker__Output, body: NonNullable<FromWorker__Output["body"]>): WorkerMessage {
  const { term } = message;
  switch (body) {
    case "hello": {
      const hello = message.hello!;
      if (hello.worker === "") throw new LimbeckError("corrupt", "a worker joined without a name");
      const { worker, address, host, build, instance, http, job, life } = hello;
      if (!isProcessName(worker)) {
        const shown = plain(JSON.stringify(worker.slice(0, 40)));
        throw new LimbeckError("usage", `a worker cannot be called ${shown}: ${neededName}`);
      }
      checkNames({ address, host, build, instance, http, job, life });
      checkHolds(hello.holds);
      return { kind: body, term, ...hello, role: roleOf(hello.role, hello.worker) };
    }
    case "heartbeat":
      checkAmounts({ "heartbeat.serving_seconds": message.heartbeat!.servingSeconds });
      return { kind: body, term, ...message.heartbeat! };
    case "prepared": {
      const { dataset, noDataset } = message.prepared!;
      const engine = given(message.prepared!.engine, "prepared.engine");
      const tensorflowVersion = engine.tensorflowVersion || null;
      if (noDataset === "") given(dataset, "prepared.dataset");
      if (dataset) checkDataset(dataset);
      return { kind: body, term, engine: { ...engine, tensorflowVersion }, dataset, noDataset };
    }
    case "ready":
      checkNames({ "ready.weights_sha256": message.ready!.weightsSha256 });
      checkHolds(message.ready!.holds);
      return { kind: body, term, ...message.ready! };
    case "progress": {
      const progress = message.progress!;
      const metrics = given(progress.metrics, "progress.metrics");
      const phases = given(progress.phases, "progress.phases");
      // No example counts where all steps were skipped.
      if (!(progress.steps > 0 && progress.seconds > 0 && metrics.examples >= 0)) {
        throw new LimbeckError("corrupt", "progress over no step or no time was reported");
      }
      const { data, softTargets, compute, exchange, apply } = phases;
      const { seconds } = progress;
      checkAmounts({ seconds, examples: metrics.examples, data, softTargets, compute, exchange, apply });
      return { kind: body, term, ...progress, stage: stageOf(progress.stage), metrics, phases };
    }
    case "evaluated": {
      const evaluated = message.evaluated!;
      const results = evaluated.results.map((chunk) => chunkOf(chunk, evaluated.chunks));
      return { kind: body, term, ...evaluated, stage: stageOf(evaluated.stage), results };
    }
    case "stageDone": {
      const done = message.stageDone!;
      const consumed = given(done.consumed, "stage_done.consumed");
      checkNames({ "stage_done.weights_sha256": done.weightsSha256 });
      return { kind: body, term, ...done, stage: stageOf(done.stage), consumed };
    }
    case "exported": {
      const { stage, models, latencies, pictures } = message.exported!;
      const rest = { latencies, pictures: pictures.map(pictureOf) };
      return { kind: body, term, stage: stageOf(stage), models: models.map(modelOf), ...rest };
    }
    case "checkpointed":
      return { kind: body, term, ...message.checkpointed!, stage: stageOf(message.checkpointed!.stage) };
    case "failed": {
      const { code, message: text } = message.failed!;
      return { kind: body, term, code: isErrorCode(code) ? code : "internal", message: text };
    }
    case "leaving":
      return { kind: body, term, why: message.leaving!.why };
    case "caughtUp":
      checkHolds(message.caughtUp!.holds);
      return { kind: body, term, ...message.caughtUp!, stage: stageOf(message.caughtUp!.stage) };
    case "digest":
      checkNames({ "digest.weights_sha256": message.digest!.weightsSha256 });
      return { kind: body, term, ...message.digest!, stage: stageOf(message.digest!.stage) };
    case "skipped": {
      const { stage, examples, ...skipped } = message.skipped!;
      return { kind: body, term, ...skipped, stage: stageOf(stage), examples: idsOf(examples) };
    }
    case "suspect":
      return { kind: body, term, ...message.suspect! };
    case "diagnosed": {
      const { stage, findings } = message.diagnosed!;
      return { kind: body, term, stage: stageOf(stage), findings: findingsOf(findings) };
    }
    case "corrupted": {
      const { from, kind: what, why }: Corrupted__Output = message.corrupted!;
      return { kind: body, term, from, what, why };
    }
    case "warned":
      return { kind: body, term, why: message.warned!.why };
  }
}

function given<T>(part: T | null | undefined, name: string): T {
  if (part === null || part === undefined) throw new LimbeckError("corrupt", `a message lacks ${name}`);
  return part;
}

function checkDataset({ trainExamples, classes, shape, digest }: DatasetInfo__Output): void {
  checkNames({ "prepared.dataset.digest": digest });
  checkCount("dimensions of an example", shape.length, mostDimensions);
  checkCount("training examples", trainExamples, mostExamples);
  checkCount("classes", classes, mostClasses);
  if (![trainExamples, classes, ...shape].every((each) => each >= 1))
    throw new LimbeckError(
      "corrupt",
      "a dataset without an example, a class, or a number in its examples was reported",
    );
}

function checkHolds(holds: readonly string[]): void {
  checkCount("stages whose weights it has", holds.length, mostStages);
}

/** Of JSON. */
function findingsOf(json: string): Finding[] {
  const found = jsonIn(json);
  if (!Array.isArray(found) || found.length > mostFindings || !found.every(isFinding))
    throw new LimbeckError("corrupt", "what came as the doctor's findings is none");
  return found;
}

function jsonIn(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    return null;
  }
}

function isFinding(found: unknown): found is Finding {
  const { check, severity, message, evidence } = (found ?? {}) as Readonly<Record<string, unknown>>;
  const isKnown = typeof check === "string" && severities.some((each) => each === severity);
  if (!isKnown || typeof message !== "string" || typeof evidence !== "object" || evidence === null) return false;
  // What is not finite is null where it has been JSON.
  return Object.values(evidence).every((each) => each === null || typeof each === "number" || typeof each === "string");
}

function roleOf(role: string, worker: string): Role | "auto" {
  if (role === "student" || role === "teacher" || role === "auto") return role;
  throw new LimbeckError("usage", `${worker} has the role ${role}: it must be student, teacher or auto`);
}

/** uint32 little-endian. */
function idsOf(bytes: Uint8Array): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: Math.floor(bytes.byteLength / 4) }, (_, at) => view.getUint32(4 * at, true));
}

function stageOf(stage: string): Stage {
  if (stage === "teach" || stage === "distil" || stage === "baseline") return stage;
  throw new LimbeckError("corrupt", `a message is about stage ${stage}, which no job has`);
}

function chunkOf(
  { predictions, labels, confidences, ...chunk }: EvaluatedChunk__Output,
  chunks: number,
): EvaluatedChunk {
  const { examples } = chunk;
  const isWhole =
    predictions.length === 2 * examples && labels.length === 2 * examples && confidences.length === 4 * examples;
  if (!isWhole || chunk.chunk >= chunks) {
    throw new LimbeckError(
      "corrupt",
      `evaluation chunk ${chunk.chunk} of ${chunks} with ${examples} examples came with ${predictions.length} bytes of predictions, ${labels.length} of labels and ${confidences.length} of confidences`,
    );
  }
  const floats = new DataView(confidences.buffer, confidences.byteOffset, confidences.byteLength);
  return {
    ...chunk,
    predictions: classesOf(predictions),
    labels: classesOf(labels),
    confidences: Float32Array.from({ length: examples }, (_, at) => floats.getFloat32(4 * at, true)),
  };
}

/** uint16 little-endian. */
function classesOf(bytes: Uint8Array): Uint16Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Uint16Array.from({ length: bytes.byteLength / 2 }, (_, at) => view.getUint16(2 * at, true));
}

function modelOf({ examples, errors, crossEntropy, ...model }: ExportedModel__Output): ExportedModel {
  return { ...model, score: { examples, errors, accuracy: (examples - errors) / examples, crossEntropy } };
}

function pictureOf({ pixels, ...picture }: Picture__Output): Picture {
  return { ...picture, pixels: Buffer.from(pixels).toString("base64") };
}
