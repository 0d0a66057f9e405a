/** What a worker says in a story: a line of words, with everything that is not said filled in. */
import type { WorkerMessage } from "../../coordinator/messages.ts";
import type { LimbeckErrorCode } from "../../core/errors.ts";
import type { Stage } from "../../core/stages.ts";
import { build } from "../coordinator/jobs.ts";
import type { Line } from "./story.ts";

function holdsOf(values: Line["values"]): string[] {
  return (values["holds"] ?? "").split(",").filter(Boolean);
}

/** @param current the term the coordinator is in, unless the line says term=; `atStage` likewise with stage= */
export function messageOf({ verb, words, values }: Line, current: number, atStage: Stage): WorkerMessage {
  const [name = "", ...rest] = words;
  const number = (key: string, otherwise: number) => Number(values[key] ?? otherwise);
  const term = number("term", current);
  const stage = (values["stage"] ?? atStage) as Stage;
  switch (verb) {
    case "hello": {
      const role = rest[0] === "teacher" || rest[0] === "auto" ? rest[0] : "student";
      const worker = values["as"] ?? name;
      return {
        kind: "hello",
        term: number("term", 0),
        instance: values["instance"] ?? name,
        holds: holdsOf(values),
        job: "",
        life: "",
        worker,
        role,
        address: `${name}:1`,
        host: "here",
        http: "",
        build: values["build"] ?? build,
        pid: 1,
      };
    }
    case "heartbeat": {
      const { doing = "preparing", waitingFor = "" } = values;
      const served = { servedExamples: number("served", 0), servingSeconds: number("busy", 0), queuedExamples: 0 };
      const needsTeacher = values["needs"] === "teacher";
      const serverAway = values["needs"] === "server";
      const status = {
        doing,
        waitingFor,
        step: 0,
        residentBytes: number("bytes", 0),
        ...served,
        needsTeacher,
        serverAway,
      };
      return { kind: "heartbeat", term, ...status };
    }
    case "prepared": {
      const { engine: fingerprint = "e", digest = "d" } = values;
      const engine = {
        backend: "wasm",
        tensorflowVersion: null,
        device: "cpu",
        gpu: false,
        threads: 1,
        why: "asked for",
        fingerprint,
      };
      const sizes = { trainExamples: number("train", 16), evaluationExamples: 4, classes: 3, shape: [2] };
      const { without: noDataset = "" } = values;
      const dataset = noDataset === "" ? { ...sizes, digest, classNames: [] } : null;
      return { kind: "prepared", term, engine, dataset, noDataset };
    }
    case "ready":
      return {
        kind: "ready",
        term,
        parameters: number("parameters", 9),
        weightsSha256: values["sha"] ?? `w${number("step", 0)}`,
        step: number("step", 0),
        hasSum: values["sum"] === "yes",
        holds: holdsOf(values),
        restoredFrom: values["from"] ?? "",
        skipped: values["skipped"] === undefined ? [] : [values["skipped"]],
        uncacheable: values["uncacheable"] ?? "",
      };
    case "progress": {
      const loss = number("loss", 0.5);
      const steps = number("steps", 2);
      const examples = 8 * steps;
      const metrics = {
        examples,
        loss: loss * examples,
        hardLoss: loss * examples,
        softLoss: 0,
        correct: examples / 2,
        agree: examples / 4,
      };
      const phases = {
        data: 0.1,
        softTargets: number("waited", 0.2),
        compute: number("compute", 0.3),
        exchange: 0.4,
        apply: 0.5,
      };
      const own = number("examples", examples / 2);
      const soft = {
        softTargets: number("soft", 0),
        softTargetsCached: number("cached", 0),
        softTargetBytes: 2 * number("soft", 0),
        softTargetInputBytes: 0,
        hedged: 0,
        askedAgain: 0,
        payloadError: null,
        gradientNorm: 1,
        consumed: null,
      };
      return {
        kind: "progress",
        term,
        stage,
        step: number("step", 2),
        examples: own,
        steps,
        seconds: number("seconds", 1),
        metrics,
        phases,
        learningRate: 0.1,
        ...soft,
      };
    }
    case "evaluated": {
      const correct = Uint8Array.from([...(values["correct"] ?? "")].map(Number));
      const predictions = Uint16Array.from([...(values["predicts"] ?? values["correct"] ?? "")].map(Number));
      const result = {
        chunk: number("chunk", 0),
        examples: correct.length,
        crossEntropy: number("crossEntropy", 1),
        predictions,
        labels: predictions.map((predicted, at) => (correct[at] === 1 ? predicted : predicted + 1)),
        confidences: Float32Array.from(predictions, () => 0.5),
      };
      const last = values["step"] === undefined;
      return {
        kind: "evaluated",
        term,
        stage,
        step: number("step", 4),
        last,
        chunks: number("of", 2),
        results: correct.length ? [result] : [],
      };
    }
    case "checkpointed":
      return { kind: "checkpointed", term, stage, step: number("step", 4), folder: "checkpoints/c", bytes: 10 };
    case "done": {
      const consumed = { examplesPerEpoch: 16, epochs: 2, seen: number("seen", 32), duplicated: 0, missing: 0 };
      return { kind: "stageDone", term, stage, step: number("step", 4), weightsSha256: values["sha"] ?? "w", consumed };
    }
    case "exported": {
      const score = { examples: 4, errors: 1, accuracy: 0.75, crossEntropy: 0.5 };
      return {
        kind: "exported",
        term,
        stage,
        models: [
          { folder: stage === "teach" ? "teacher" : "student", format: "float32", bytes: 10, score, latencies: [] },
        ],
        latencies: [],
        pictures: [],
      };
    }
    case "failed":
      return { kind: "failed", term, code: rest[0] as LimbeckErrorCode, message: rest.slice(1).join(" ") };
    case "leaving":
      return { kind: "leaving", term, why: rest.join(" ") };
    case "caughtUp":
      return {
        kind: "caughtUp",
        term,
        stage,
        step: number("step", 2),
        holds: holdsOf(values),
        uncacheable: values["uncacheable"] ?? "",
      };
    case "digest":
      return { kind: "digest", term, stage, step: number("step", 2), weightsSha256: values["sha"] ?? "same" };
    case "skipped": {
      const examples = (values["examples"] ?? "").split(",").filter(Boolean).map(Number);
      const why = values["why"] ?? "its loss is not finite";
      return { kind: "skipped", term, stage, step: number("step", 1), lane: number("lane", 0), examples, why };
    }
    case "suspect":
      return { kind: "suspect", term, worker: rest[0]!, why: rest.slice(1).join(" ") };
    case "corrupted":
      return {
        kind: "corrupted",
        term,
        from: rest[0]!,
        what: values["what"] ?? "partials",
        why: rest.slice(1).join(" "),
      };
    case "warned":
      return { kind: "warned", term, why: rest.join(" ") };
    default:
      throw new Error(`nothing in a story is called ${verb}`);
  }
}
