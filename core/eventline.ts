/** Events as lines of events.jsonl, read back from a disk that may be damaged, or that another hand has written to. */
import { z } from "zod";
import type { ProgressEvent } from "./events.ts";
import { parseJson } from "./nesting.ts";

const text = z.string();
const texts = z.array(text);
const count = z.int().min(0);
/** What is not finite is null where it has been JSON. */
const figure = z.number().nullable();
const stage = z.enum(["teach", "distil", "baseline"]);
const score = z.looseObject({ examples: count, errors: count, accuracy: figure, crossEntropy: figure });
const parts = z.record(text, count).optional();
const deal = z.array(z.looseObject({ worker: text, firstLane: count, lanes: count }));
const findings = z.array(z.looseObject({ check: text, severity: text, message: text }));
const phases = z.looseObject({ data: figure, softTargets: figure, compute: figure, exchange: figure, apply: figure });

/** Of each kind what is looked at: others may be there, too. */
const fields = {
  "job-started": {
    ...{ name: text, seed: count, numerics: text, lanes: count, laneBatch: count, students: count, teachers: count },
    stages: z.array(stage),
  },
  "worker-joined": { worker: text, role: text, address: text, pid: z.number() },
  "worker-prepared": { worker: text, backend: text, device: text, why: text },
  "role-changed": { worker: text, role: text, why: text },
  "worker-lost": { worker: text, why: text, silentMs: z.number() },
  "worker-left": { worker: text, why: text },
  "worker-refused": { worker: text, why: text },
  "worker-warned": { worker: text, why: text },
  "worker-status": { worker: text, doing: text, waitingFor: text, residentBytes: z.number() },
  "dataset-opened": {
    trainExamples: count,
    evaluationExamples: count,
    classes: count,
    shape: z.array(count),
    digest: text,
  },
  "term-opened": { term: count, stage, why: text, reason: text, planned: z.boolean(), deal, teachers: texts, parts },
  "teachers-changed": { term: count, stage, why: text, teachers: texts, parts },
  "term-begun": { term: count, stage, step: count },
  "job-paused": { why: text },
  "coordinator-recovered": { term: count, why: text },
  restored: { worker: text, stage, step: count, folder: text },
  "checkpoint-passed-over": { worker: text, why: text },
  "step-skipped": { worker: text, stage, step: count, lane: count, examples: count, why: text },
  "payload-damaged": { worker: text, from: text, what: text, why: text },
  "replica-diverged": { worker: text, stage, step: count, why: text },
  "stage-started": { stage, steps: count, stepsPerEpoch: count, parameters: count },
  "soft-target-cache": { stage, cache: text, why: text },
  diagnosed: { worker: text, stage, findings },
  stepped: {
    ...{ stage, step: count, steps: count, epoch: z.number(), epochs: z.number(), samplesPerSecond: figure },
    ...{ loss: figure, hardLoss: figure, softLoss: figure, accuracy: figure, agreement: figure, learningRate: figure },
    ...{ etaSeconds: figure, phases },
  },
  evaluated: { stage, step: count, epoch: z.number(), score },
  checkpointed: { stage, step: count, folder: text, bytes: z.number() },
  "stage-finished": {
    stage,
    steps: count,
    wallSeconds: z.number(),
    samplesPerSecond: figure,
    score,
    weightsSha256: text,
  },
  exported: { stage, folder: text, format: text, bytes: z.number(), score },
  "job-finished": { report: z.looseObject({ summary: text.optional() }) },
  "job-stopped": { why: text },
  "job-failed": { code: text, message: text },
} as const satisfies Readonly<Record<ProgressEvent["kind"], z.ZodRawShape>>;

const schemas = new Map(
  Object.entries(fields).map(([kind, shape]) => [kind, z.looseObject({ kind: text, atMs: z.number(), ...shape })]),
);

/** null for a line that is damaged, or of a kind that is not known here. */
export function eventOf(line: string): ProgressEvent | null {
  try {
    const value = parseJson(line);
    const { kind } = value as { kind?: unknown };
    return typeof kind === "string" && schemas.get(kind)?.safeParse(value).success ? (value as ProgressEvent) : null;
  } catch {
    return null;
  }
}

/** Of a file's text, those that are whole. */
export function eventsIn(text: string): ProgressEvent[] {
  return text.split("\n").flatMap((line) => eventOf(line) ?? []);
}
