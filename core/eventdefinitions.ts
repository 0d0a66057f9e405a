/**
 * What every progress event is, for those who read them by program: docs/events.md is made of it. The compiler holds kinds and
 * fields against core/events.ts; events are read back by it (core/eventline.ts), and a test holds types against the
 * events of a job.
 */
import type { ProgressEvent } from "./events.ts";

/** How a field stands in JSON, by a word. */
export const fieldTypes = {
  text: "text",
  whole: "whole number",
  number: "number",
  figure: "number; `null` where it is not finite",
  maybeNumber: "number or `null`",
  flag: "`true` or `false`",
  texts: "list of text",
  wholes: "list of whole numbers",
  stage: "`teach`, `distil` or `baseline`",
  stages: "list of stages",
  deal: "list of [lanes](#lanes)",
  score: "[score](#score)",
  phases: "[phases](#phases)",
  findings: "list of [findings](#finding)",
  parts: "whole number by worker; may be missing",
  evidence: "number or text by name",
  report: "what `report.json` has",
} as const;

export type FieldType = keyof typeof fieldTypes;

/** By field: its type, and what its name does not say. */
export type EventFields = Readonly<Record<string, readonly [FieldType, string]>>;

export interface EventDefinition {
  /** A sentence or two. */
  readonly means: string;
  readonly fields: EventFields;
}

type Of<K extends ProgressEvent["kind"]> = Extract<ProgressEvent, { kind: K }>;
/** Of a union of forms all fields there are. */
type FieldOf<E> = E extends unknown ? Exclude<keyof E, "kind" | "atMs"> : never;
type Definitions = {
  readonly [K in ProgressEvent["kind"]]: {
    readonly means: string;
    readonly fields: Readonly<Record<FieldOf<Of<K>>, readonly [FieldType, string]>>;
  };
};

const worker = ["text", "its name"] as const;
const stage = ["stage", ""] as const;
const step = ["whole", "of the stage, from 0"] as const;
const why = ["text", "a sentence"] as const;
const term = ["whole", "grows with every change of who computes what"] as const;

/** In the order in which a job meets them. */
export const eventDefinitions = {
  "job-started": {
    means: "The first event of a job.",
    fields: {
      name: ["text", "of the job"],
      seed: ["whole", ""],
      numerics: ["text", "`exact` or `fast`"],
      lanes: ["whole", "how many a step has"],
      laneBatch: ["whole", "examples of a lane"],
      students: ["whole", "the job begins with"],
      teachers: ["whole", "the job begins with"],
      stages: ["stages", "in their order"],
    },
  },
  "worker-joined": {
    means: "A worker has a session with the coordinator.",
    fields: {
      worker,
      role: ["text", "`student` or `teacher`"],
      address: ["text", "host:port where other workers find it"],
      pid: ["whole", "of its process"],
    },
  },
  "worker-prepared": {
    means: "Its engine and dataset are open.",
    fields: { worker, backend: ["text", "such as `tensorflow`"], device: ["text", "such as `cpu`"], why },
  },
  "role-changed": {
    means: "A worker that came as `auto` gets another role.",
    fields: { worker, role: ["text", "`student` or `teacher`: the new one"], why },
  },
  "worker-lost": {
    means: "A worker died, fell silent, or is cut off.",
    fields: {
      worker,
      why,
      silentMs: ["number", "since it was last heard: the longest that finding it lost can have taken"],
    },
  },
  "worker-left": { means: "A worker handed its work over and went.", fields: { worker, why } },
  "worker-refused": { means: "A worker may not join, or is out of the job.", fields: { worker, why } },
  "worker-warned": { means: "A worker goes on in spite of something.", fields: { worker, why } },
  "worker-status": {
    means: "What a worker does and waits for, when that has changed. Not a decision.",
    fields: {
      worker,
      doing: ["text", ""],
      waitingFor: ["text", "empty: for nothing"],
      residentBytes: ["whole", "of its process"],
    },
  },
  "dataset-opened": {
    means: "The first worker has told what the dataset is; others must have the same.",
    fields: {
      trainExamples: ["whole", ""],
      evaluationExamples: ["whole", ""],
      classes: ["whole", ""],
      shape: ["wholes", "of an example"],
      digest: ["text", "of all examples and labels"],
    },
  },
  "term-opened": {
    means: "From now on these workers compute these lanes.",
    fields: {
      term,
      stage,
      why,
      reason: [
        "text",
        "one word: `start`, `stage`, `resumed`, `restarted`, `joined`, `left`, `lost`, `diverged`, `speed`, `role`",
      ],
      planned: ["flag", "nobody died: steps in flight may be finished first"],
      deal: ["deal", "by student"],
      teachers: ["texts", "names"],
      parts: ["parts", "which member of an ensemble a teacher serves, from 0"],
    },
  },
  "teachers-changed": {
    means: "Teachers came or went, and the term goes on.",
    fields: { term, stage, why, teachers: ["texts", "those there are now"], parts: ["parts", "as in `term-opened`"] },
  },
  "term-begun": { means: "All members are ready.", fields: { term, stage, step: ["whole", "where they begin"] } },
  "job-paused": { means: "Too few workers; the job goes on by itself when they are there.", fields: { why } },
  "coordinator-recovered": {
    means: "A coordinator goes on with the job, from its journal.",
    fields: { term: ["whole", "the last one there was"], why },
  },
  restored: {
    means: "A worker has read a checkpoint, from which the members go on.",
    fields: { worker, stage, step, folder: ["text", "of the checkpoint"] },
  },
  "checkpoint-passed-over": { means: "A newer checkpoint was not used.", fields: { worker, why } },
  "step-skipped": {
    means: "The sum of a step's gradients is not finite: no replica applied it.",
    fields: {
      worker: ["text", "whose lane it is"],
      stage,
      step,
      lane: ["whole", ""],
      examples: ["whole", "how many; they are in `quarantine.jsonl`"],
      why,
    },
  },
  "payload-damaged": {
    means: "What a worker fetched came damaged, and was fetched again.",
    fields: { worker, from: ["text", "another worker"], what: ["text", "kind of payload"], why },
  },
  "replica-diverged": {
    means: "A worker's weights differ from the others'.",
    fields: { worker, stage, step: ["whole", "where they were compared"], why },
  },
  "stage-started": {
    means: "A stage begins.",
    fields: {
      stage,
      steps: ["whole", "in all"],
      stepsPerEpoch: ["whole", ""],
      parameters: ["whole", "of the model that is trained"],
    },
  },
  "soft-target-cache": {
    means: "Whether the stage's soft targets are kept on disk.",
    fields: { stage, cache: ["text", "`cached` or `uncached`"], why },
  },
  diagnosed: {
    means: "What the doctor found before the stage's first step.",
    fields: { worker: ["text", "who looked"], stage, findings: ["findings", ""] },
  },
  stepped: {
    means: "Steps were done, a few times a second. Not a decision.",
    fields: {
      stage,
      step: ["whole", "done so far"],
      steps: ["whole", "in all"],
      epoch: ["number", "done so far, with a fraction"],
      epochs: ["number", "in all"],
      samplesPerSecond: ["figure", "over all students"],
      loss: ["figure", "mean over the examples since the last event of this kind, nats"],
      hardLoss: ["figure", "of it, against the labels"],
      softLoss: ["maybeNumber", "of it, against the teacher; `null` in a stage without one"],
      accuracy: ["figure", "in [0, 1]"],
      agreement: ["maybeNumber", "with the teacher, in [0, 1]; `null` in a stage without one"],
      learningRate: ["figure", ""],
      etaSeconds: ["figure", "until the stage is done"],
      phases: ["phases", "of the student that reports"],
    },
  },
  evaluated: {
    means: "The model was evaluated in the middle of a stage, or at its end.",
    fields: { stage, step, epoch: ["number", "done by then"], score: ["score", ""] },
  },
  checkpointed: {
    means: "A checkpoint is whole.",
    fields: { stage, step, folder: ["text", "of the checkpoint"], bytes: ["whole", "its size"] },
  },
  "stage-finished": {
    means: "A stage is done, and all replicas have the same weights.",
    fields: {
      stage,
      steps: ["whole", ""],
      wallSeconds: ["number", ""],
      samplesPerSecond: ["figure", ""],
      score: ["score", "at the end"],
      weightsSha256: ["text", ""],
    },
  },
  exported: {
    means: "A model is written.",
    fields: {
      stage,
      folder: ["text", "of the model"],
      format: ["text", "such as `float16`"],
      bytes: ["whole", "its size"],
      score: ["score", "of the model as it is written"],
    },
  },
  "job-finished": { means: "The last event of a job that is done.", fields: { report: ["report", ""] } },
  "job-stopped": {
    means: "The last event of a job that was stopped; where it is resumed, others follow.",
    fields: { why },
  },
  "job-failed": {
    means: "The last event of a job that failed.",
    fields: {
      code: ["text", "one word, such as `bad_data`"],
      message: ["text", "what was wrong, and what would be right"],
    },
  },
} as const satisfies Definitions;

/** What stands in several events, by heading. */
export const sharedShapes = {
  Lanes: {
    worker: ["text", "a student"],
    firstLane: ["whole", "from 0"],
    lanes: ["whole", "how many, from there"],
  },
  Score: {
    examples: ["whole", "of the split"],
    errors: ["whole", "of them"],
    accuracy: ["figure", "in [0, 1]"],
    crossEntropy: ["figure", "mean over the examples, nats"],
  },
  Phases: {
    data: ["figure", "seconds of a step for reading and augmenting examples"],
    softTargets: ["figure", "for waiting for the teachers"],
    compute: ["figure", "for the gradients"],
    exchange: ["figure", "for summing them with the others"],
    apply: ["figure", "for the update"],
  },
  Finding: {
    check: ["text", "such as `teacher-accuracy`"],
    severity: ["text", "`ok`, `warning`, `refusal` or `not-run`"],
    message: ["text", "what was found, and what would be right"],
    evidence: ["evidence", "what it rests on"],
  },
} as const satisfies Readonly<Record<string, EventFields>>;
