/**
 * A worker without a device: it says over the wire what a real one would, with numbers that follow from the deal.
 * Its seconds are made up, so that the report's figures can be worked out by hand.
 */
import { type LedgerPlan, laneShare, stepShare } from "../../core/ledger.ts";
import type { Assign } from "../../proto/gen/limbeck/v1/Assign.ts";
import type { EvaluatedChunk } from "../../proto/gen/limbeck/v1/EvaluatedChunk.ts";
import type { FromWorker } from "../../proto/gen/limbeck/v1/FromWorker.ts";
import type { Hello } from "../../proto/gen/limbeck/v1/Hello.ts";
import type { ToWorker } from "../../proto/gen/limbeck/v1/ToWorker.ts";

export const dataset = { trainExamples: 20, evaluationExamples: 30, classes: 3, shape: [2], digest: "d" };
const ledger: LedgerPlan = { seed: 1, trainExamples: dataset.trainExamples, lanes: 4, laneBatch: 2 };
const chunkExamples = 4;
const stepsPerEpoch = 3;

/** Examples that the model of a stage gets wrong; the label of example i is i mod 3. */
const wrong = { teach: [0], distil: [1, 2], baseline: [1, 10, 11, 12, 13, 14, 15, 16, 17, 18] };
type Trained = keyof typeof wrong;

export class Actor {
  readonly name: string;
  readonly role: "student" | "teacher";
  #term = 0;
  #assign: Assign = {};

  constructor(name: string, role: "student" | "teacher") {
    this.name = name;
    this.role = role;
  }

  hello(build: string): FromWorker {
    const identity = { worker: this.name, role: this.role, instance: this.name };
    const hello: Hello = { ...identity, address: "127.0.0.1:1", http: "127.0.0.1:2", host: "here", build, pid: 1 };
    return { term: 0, hello, body: "hello" };
  }

  heartbeat(): FromWorker {
    return { term: this.#term, body: "heartbeat", heartbeat: { doing: "acting", residentBytes: 1 } };
  }

  /** What it answers, in order; null where it leaves. */
  answer(message: ToWorker): FromWorker[] | null {
    if (message.body === "stop") return null;
    return this.#reply(message).map((reply) => ({ ...reply, term: this.#term }));
  }

  #reply({ term, body, assign, export: exporting }: ToWorker): FromWorker[] {
    switch (body) {
      case "welcome": {
        const engine = { backend: "wasm", device: "cpu", threads: 1, why: "asked for", fingerprint: "f" };
        const residentBytes = this.role === "teacher" ? 2000 : 1000;
        const heartbeat = (bytes: number) =>
          ({ body: "heartbeat", heartbeat: { doing: "loading", residentBytes: bytes } }) as const;
        return [heartbeat(residentBytes), heartbeat(1), { body: "prepared", prepared: { engine, dataset } }];
      }
      case "assign": {
        this.#term = Number(term);
        this.#assign = assign!;
        const weightsSha256 = this.role === "teacher" ? assign!.teacherSha256! : `initial-${assign!.stage}`;
        return [{ body: "ready", ready: { parameters: 9, weightsSha256, step: 0 } }];
      }
      case "begin":
        return this.role === "student" ? this.#train() : [];
      case "export":
        return [
          { body: "exported", exported: { stage: exporting!.stage!, models: exportedModels(exporting!.stage!) } },
        ];
      default:
        return [];
    }
  }

  #train(): FromWorker[] {
    const { stage = "", students = [] } = this.#assign;
    const steps = Number(this.#assign.steps);
    const rank = students.findIndex(({ worker }) => worker === this.name);
    const said: FromWorker[] = [];
    for (let step = 2; step <= steps; step += 2) {
      said.push({ body: "progress", progress: this.#progress(step) });
      if (step === 6) said.push(this.#evaluated(step, false));
    }
    if (rank === 0)
      said.push({
        body: "checkpointed",
        checkpointed: { stage, step: steps, folder: `checkpoints/${stage}`, bytes: 7 },
      });
    const consumed = { examplesPerEpoch: 20, epochs: steps / stepsPerEpoch, seen: (20 * steps) / stepsPerEpoch };
    const done = { stage, step: steps, weightsSha256: `trained-${stage}`, consumed };
    return [...said, this.#evaluated(steps, true), { body: "stageDone", stageDone: done }];
  }

  /** Two steps: the first reports are slow, the later ones take 0.1 s times the worker's own pace. */
  #progress(step: number) {
    const member = this.#assign.students!.find(({ worker }) => worker === this.name)!;
    const both = [step - 2, step - 1];
    const lanes = Array.from({ length: member.lanes! }, (_, at) => member.firstLane! + at);
    const examples = sum(both.flatMap((each) => lanes.map((lane) => laneShare(ledger, each, lane).examples)));
    const all = sum(both.map((each) => stepShare(ledger, each).examples));
    const isDistil = this.#assign.stage === "distil";
    return {
      stage: this.#assign.stage!,
      step,
      steps: 2,
      examples,
      seconds: step <= 6 ? 3 : 0.1 * (1 + member.firstLane! / 10),
      metrics: {
        examples: all,
        loss: all / step,
        hardLoss: all / step,
        softLoss: isDistil ? all : 0,
        correct: all / 2,
        agree: isDistil ? all / 4 : 0,
      },
      phases: { data: 0.02, softTargets: 0.01, compute: 0.05, exchange: 0.03, apply: 0.01 },
      learningRate: 0.1,
      gradientNorm: 0.5,
      consumed: { examplesPerEpoch: 20, duplicated: 1, missing: 2 },
      softTargets: isDistil ? examples : 0,
      softTargetsCached: 0,
      softTargetBytes: isDistil ? examples * 6 : 0,
      softTargetInputBytes: isDistil ? examples * 8 : 0,
    };
  }

  #evaluated(step: number, last: boolean): FromWorker {
    const { stage, students = [] } = this.#assign;
    const rank = students.findIndex(({ worker }) => worker === this.name);
    const chunks = Math.ceil(dataset.evaluationExamples / chunkExamples);
    const own = Array.from({ length: chunks }, (_, chunk) => chunk).filter((chunk) => chunk % students.length === rank);
    const results = own.map((chunk) => evaluatedChunk(stage as Trained, chunk));
    return { body: "evaluated", evaluated: { stage: stage!, step, last, chunks, results } };
  }
}

function evaluatedChunk(stage: Trained, chunk: number): EvaluatedChunk {
  const first = chunk * chunkExamples;
  const ids = Array.from(
    { length: Math.min(chunkExamples, dataset.evaluationExamples - first) },
    (_, at) => first + at,
  );
  const isWrong = (id: number) => wrong[stage].includes(id);
  const predictions = Buffer.from(Uint16Array.from(ids, (id) => (id + Number(isWrong(id))) % 3).buffer);
  const labels = Buffer.from(Uint16Array.from(ids, (id) => id % 3).buffer);
  const confidences = Buffer.from(Float32Array.from(ids, () => 0.75).buffer);
  // Thirds and sevenths, so that the order of the sum shows in its last bits.
  return { chunk, examples: ids.length, crossEntropy: 1 / 3 + chunk / 7, predictions, labels, confidences };
}

function exportedModels(stage: string) {
  const formats = stage === "teach" ? ["float32"] : ["float32", "float16", "uint8"];
  const model = stage === "teach" ? "teacher" : "student";
  return formats.map((format) => {
    const folder = format === "float32" ? model : `${model}-${format}`;
    return { folder, format, bytes: 100, examples: 30, errors: 3, crossEntropy: 0.5 };
  });
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
