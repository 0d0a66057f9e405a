/** A run as its folder has it, made up: its journal, its events, its report. Every kind of record and event is there. */
import type { JournalRecord } from "../../../coordinator/journalrecord.ts";
import { finishedRecord } from "../../../coordinator/replay.ts";
import type { ServiceRecord } from "../../../coordinator/service/vocabulary.ts";
import { evaluationOf } from "../../../core/evaluation/evaluation.ts";
import type { ProgressEvent, ProgressEventBody, Score } from "../../../core/events.ts";
import { buildReport, type FinishedStage, noSoftTargets, type Picture } from "../../../core/report.ts";
import { type RunReport, runReport } from "../../../core/runreport.ts";
import { planStages, type Stage } from "../../../core/stages.ts";
import { testJob, testPlan } from "../../coordinator/jobs.ts";

export const job = testJob();
export const plan = testPlan(job);
const plans = planStages(job, 16);
const atMs = 1_700_000_000_000;
const score: Score = { examples: 4, errors: 1, accuracy: 0.75, crossEntropy: 0.5 };
const latency = { batch: 1, medianSeconds: 0.001, p95Seconds: 0.002 };
const pixels = Buffer.alloc(4, 9).toString("base64");
const pictures: readonly Picture[] = [
  { example: 0, shape: [2, 2, 1], pixels, values: [] },
  { example: 3, shape: [9], pixels: "", values: [0.5, 1] },
];
const exported = {
  models: [{ folder: "student", format: "float32", bytes: 60, score, latencies: [latency] }],
  latencies: [latency],
  pictures,
};

function finished(stage: Stage, predictions: readonly number[]): FinishedStage {
  const answers = { labels: Uint16Array.of(0, 1, 0, 1), confidences: Float32Array.of(0.9, 0.8, 0.7, 0.6) };
  return {
    plan: plans.find((each) => each.stage === stage)!,
    ...{ parameters: 6, weightsSha256: "a".repeat(64), skippedSteps: 1, wallSeconds: 2, samplesPerSecond: 100 },
    evaluation: evaluationOf({ predictions: Uint16Array.from(predictions), ...answers }, 0.5),
    ledger: { examplesPerEpoch: 16, epochs: 2, seen: 32, duplicated: 0, missing: 0 },
    softTargets: { ...noSoftTargets, requested: 32, error: { examples: 4, sum: 0.02, max: 0.01 } },
    exported,
  };
}

const stages = [finished("teach", [0, 1, 0, 1]), finished("distil", [1, 1, 0, 0]), finished("baseline", [1, 0, 0, 0])];
const deal = [{ worker: "w1", firstLane: 0, lanes: 4 }];
const dataset = {
  trainExamples: 16,
  evaluationExamples: 4,
  classes: 2,
  shape: [2],
  digest: "d",
  classNames: ["no", "<b>yes"],
};

function term(number: number, stage: Stage): readonly JournalRecord[] {
  const teachers = stage === "distil" ? ["t1"] : [];
  const begun = { step: 0, sources: ["w1"], sumSources: [], evaluate: false, uncacheable: "" };
  return [
    {
      ...{
        kind: "term",
        atMs,
        term: number,
        stage,
        deal,
        teachers,
        parts: {},
        rollbackBelow: null,
        why: "they are there",
      },
      instances: { w1: "i1", t1: "i2" },
    },
    { kind: "begun", term: number, parameters: 6, ...begun },
  ];
}

/** As the coordinator's journal has it, in the middle of the second stage. */
export const journal: readonly JournalRecord[] = [
  { kind: "started", atMs, build: plan.build },
  { kind: "settled", dataset, fingerprints: { student: "f", teacher: "f" } },
  ...term(1, "teach"),
  finishedRecord(stages[0]!),
  { kind: "exported", stage: "teach", atMs, ...exported },
  ...term(2, "distil"),
  { kind: "teachers", term: 2, teachers: ["t2"], instances: { t2: "i3" }, parts: {} },
  { kind: "diagnosed", findings: [{ check: "models", severity: "ok", message: "they are", evidence: { a: 1 } }] },
  { kind: "paused", term: 2 },
  ...term(3, "distil"),
];

/** A service's. */
export const service: readonly ServiceRecord[] = [
  { kind: "counted", submissions: 1, turns: 1 },
  {
    ...{ kind: "submitted", id: "story-0002", number: 2, atMs, name: "story", digest: "d", priority: 0, job },
    ...{ sources: [{ path: "a.ts", text: "" }], by: "me" },
  },
  { kind: "changed", job: "story-0002", phase: { kind: "running" }, why: "there is room", atMs },
  {
    kind: "changed",
    job: "story-0002",
    phase: { kind: "done", endedMs: atMs, summary: { errors: 1 } },
    why: "it is over",
    atMs,
  },
  { kind: "forgotten", job: "story-0001" },
];

const stepped = (stage: Stage, step: number): ProgressEventBody => ({
  ...{
    kind: "stepped",
    stage,
    step,
    steps: 4,
    epoch: step / 2,
    epochs: 2,
    samplesPerSecond: 100,
    loss: 1 / (1 + step),
  },
  ...{ hardLoss: 0.5, softLoss: stage === "distil" ? 0.4 : null, accuracy: 0.5, agreement: null, learningRate: 0.1 },
  ...{ etaSeconds: 1, phases: { data: 0.1, softTargets: 0.1, compute: 0.1, exchange: 0.1, apply: 0.1 } },
});

const bodies: readonly ProgressEventBody[] = [
  {
    ...{ kind: "job-started", name: "story", seed: 1, numerics: "exact", lanes: 4, laneBatch: 2, students: 1 },
    ...{ teachers: 1, stages: ["teach", "distil"] },
  },
  { kind: "worker-joined", worker: "w1", role: "student", address: "127.0.0.1:1", pid: 7 },
  { kind: "worker-prepared", worker: "w1", backend: "wasm", device: "CPU", why: "asked for" },
  { kind: "role-changed", worker: "w1", role: "teacher", why: "it is faster" },
  { kind: "dataset-opened", trainExamples: 16, evaluationExamples: 4, classes: 2, shape: [2], digest: "d" },
  {
    ...{ kind: "term-opened", term: 1, stage: "teach", why: "all are there", reason: "start", planned: true },
    deal,
    teachers: [],
    parts: {},
  },
  { kind: "stage-started", stage: "teach", steps: 4, stepsPerEpoch: 2, parameters: 6 },
  { kind: "term-begun", term: 1, stage: "teach", step: 0 },
  stepped("teach", 1),
  stepped("teach", 4),
  { kind: "evaluated", stage: "teach", step: 4, epoch: 2, score },
  { kind: "checkpointed", stage: "teach", step: 4, folder: "checkpoints/teach-00000004", bytes: 60 },
  {
    kind: "stage-finished",
    stage: "teach",
    steps: 4,
    wallSeconds: 2,
    samplesPerSecond: 100,
    score,
    weightsSha256: "a".repeat(64),
  },
  { kind: "exported", stage: "teach", folder: "teacher", format: "float32", bytes: 60, score },
  { kind: "soft-target-cache", stage: "distil", cache: "cached", why: "examples are plain" },
  { kind: "teachers-changed", term: 2, stage: "distil", why: "t2 came", teachers: ["t2"] },
  {
    kind: "diagnosed",
    worker: "w1",
    stage: "distil",
    findings: [{ check: "models", severity: "ok", message: "they are", evidence: {} }],
  },
  { kind: "worker-status", worker: "w1", doing: "step 1", waitingFor: "", residentBytes: 1e8 },
  { kind: "restored", worker: "w1", stage: "distil", step: 1, folder: "checkpoints/distil-00000001" },
  { kind: "checkpoint-passed-over", worker: "w1", why: "it is damaged" },
  { kind: "step-skipped", worker: "w1", stage: "distil", step: 2, lane: 1, examples: 2, why: "the loss is NaN" },
  { kind: "payload-damaged", worker: "w1", from: "w2", what: "partial", why: "its checksum" },
  { kind: "replica-diverged", worker: "w1", stage: "distil", step: 2, why: "its digest" },
  stepped("distil", 3),
  { kind: "worker-lost", worker: "w1", why: "it fell silent", silentMs: 1_200 },
  { kind: "worker-left", worker: "w1", why: "it was told to" },
  { kind: "worker-refused", worker: "w1", why: "another engine" },
  { kind: "worker-warned", worker: "w1", why: "another build" },
  { kind: "job-paused", why: "nobody is there" },
  { kind: "coordinator-recovered", term: 3, why: "it was started again" },
  { kind: "job-stopped", why: "it was told to" },
  { kind: "job-failed", code: "lost_worker", message: "nobody came" },
  { kind: "job-finished", report: { summary: "it is done" } },
];

export const events: readonly ProgressEvent[] = bodies.map((body, at) => ({ ...body, atMs: atMs + 1_000 * at }));

const prediction = {
  ...{ students: 1, teachers: 1, wallSeconds: 4 },
  stages: [{ stage: "teach", steps: 4, stepSeconds: 0.1, samplesPerSecond: 80, wallSeconds: 1, boundBy: "students" }],
} as const;

export const report: RunReport = runReport(
  buildReport({
    ...{ terms: 3, predicted: prediction, build: plan.build, startedMs: atMs, job, wallSeconds: 9, uncacheable: "" },
    doctor: [{ check: "models", severity: "warning", message: "they are <large>", evidence: { a: 1 } }],
    ...{ dataset, stages },
    engine: {
      ...{ backend: "wasm", tensorflowVersion: null, device: "CPU", gpu: false, threads: 1, why: "asked for" },
      fingerprint: "f",
    },
    workers: [{ worker: "w1", role: "student", engine: "wasm", device: "CPU", residentBytes: 1_000 }],
  }),
  events,
  { node: "v22", platform: "a machine" },
);

export function linesOf(values: readonly unknown[], line: (value: unknown) => string = JSON.stringify): string {
  return values.map((value) => `${line(value)}\n`).join("");
}
