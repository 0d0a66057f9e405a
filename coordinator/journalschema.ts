/** What a job's journal keeps, as it is read back. */
import { z } from "zod";
import { fieldSchemas } from "../core/eventline.ts";
import { count, figure, parts, stage, text } from "../core/shapes.ts";
import type { JournalRecord } from "./journalrecord.ts";
import { recordProblem } from "./recordproblem.ts";

const { deal, score, findings, texts } = fieldSchemas;
/** L3. There must be as many above it as ever may be needed. */
const term = count.max(2 ** 48);
const instances = z.record(text, text);
const latencies = z.array(z.looseObject({ batch: count, medianSeconds: figure, p95Seconds: figure }));

export const journalProblem = recordProblem<JournalRecord>({
  started: { atMs: z.number(), build: text },
  settled: {
    dataset: z.looseObject({
      ...{ trainExamples: count, evaluationExamples: count, classes: count, shape: z.array(count), digest: text },
      classNames: texts,
    }),
    fingerprints: z.record(text, text),
  },
  term: {
    ...{ atMs: z.number(), term, stage, teachers: texts, parts, instances, why: text },
    deal,
    rollbackBelow: count.nullable(),
  },
  begun: {
    ...{ term, parameters: count, step: count, sources: texts, sumSources: texts, evaluate: z.boolean() },
    uncacheable: text,
  },
  teachers: { term, teachers: texts, instances, parts },
  paused: { term },
  finished: {
    ...{ stage, parameters: count, weightsSha256: text, predictions: text, labels: text, confidences: text },
    ...{ crossEntropy: figure, skippedSteps: count, wallSeconds: z.number(), samplesPerSecond: figure },
    ledger: z.looseObject({ examplesPerEpoch: count, epochs: count, seen: count, duplicated: count, missing: count }),
    softTargets: z.looseObject({
      ...{ requested: count, cached: count, bytes: count, inputBytes: count, hedged: count, askedAgain: count },
      ...{ secondsWaited: figure, error: z.looseObject({ examples: count, sum: figure, max: figure }) },
    }),
  },
  exported: {
    ...{ stage, atMs: z.number(), latencies },
    models: z.array(z.looseObject({ folder: text, format: text, bytes: count, score, latencies })),
    pictures: z.array(z.looseObject({ example: count, shape: z.array(count), pixels: text, values: z.array(figure) })),
  },
  diagnosed: { findings },
  recovered: { atMs: z.number(), term },
  // What is in it is looked at where a page is drawn from it (coordinator/report/folder.ts).
  ended: { report: z.looseObject({ summary: text }).optional() },
});
