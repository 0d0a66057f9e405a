/** The report, from hand-made stages whose figures can be checked by eye. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { evaluationOf } from "../../core/evaluation/evaluation.ts";
import { type FinishedStage, noSoftTargets, nothingExported } from "../../core/finishedstage.ts";
import { jobSchema } from "../../core/job.ts";
import { buildReport, type ReportFacts } from "../../core/reporting.ts";
import { planStages, type Stage } from "../../core/stages.ts";

const job = jobSchema.parse({
  name: "by-hand",
  seed: 3,
  dataset: { kind: "csv", path: ".", train: { examples: "a.csv" }, test: { examples: "b.csv" }, label: "label" },
  lanes: { count: 2, batch: 4 },
  teacher: { kind: "mlp", widths: [8] },
  student: { kind: "mlp", widths: [2] },
  teach: { epochs: 1, optimizer: { kind: "sgd", learningRate: 0.1 } },
  distil: { temperature: 2, softWeight: 0.5, steps: 7, optimizer: { kind: "sgd", learningRate: 0.1 } },
});
const plans = planStages(job, 20); // Three steps of 8 an epoch.

/** A stage whose model answers example i with `predictions[i]`; the labels are all 1. */
function finished(stage: Stage, predictions: readonly number[], more: Partial<FinishedStage> = {}): FinishedStage {
  const labels = Uint16Array.from(predictions, () => 1);
  const confidences = Float32Array.from(predictions, (_, at) => 0.5 + at / 32);
  return {
    plan: plans.find((plan) => plan.stage === stage)!,
    parameters: 50,
    weightsSha256: `${stage}-weights`,
    evaluation: evaluationOf({ predictions: Uint16Array.from(predictions), labels, confidences }, 0.25),
    ledger: { examplesPerEpoch: 20, epochs: 2, seen: 48, duplicated: 0, missing: 0 },
    softTargets: noSoftTargets,
    wallSeconds: 2,
    skippedSteps: 0,
    samplesPerSecond: 100,
    exported: nothingExported,
    ...more,
  };
}

const engine = {
  backend: "tensorflow",
  tensorflowVersion: "2.21.0",
  device: "CPU",
  gpu: false,
  threads: 1,
  why: "asked for",
  fingerprint: "f",
};
const workers = [{ worker: "student-1", role: "student", engine: "tensorflow", device: "CPU", residentBytes: 1000 }];

const dataset = {
  trainExamples: 20,
  evaluationExamples: 10,
  classes: 3,
  shape: [2],
  digest: "d",
  classNames: ["a", "b", "c"],
};
const latency = { batch: 1, medianSeconds: 0.001, p95Seconds: 0.002 };
const picture = { example: 7, shape: [2], pixels: "", values: [0.5, 1] };

function facts(stages: readonly FinishedStage[]): ReportFacts {
  const rest = { terms: 3, uncacheable: "", doctor: [], predicted: null, dataset, build: "0.1.0", startedMs: 1e12 };
  return { job, engine, workers, wallSeconds: 12.5, stages, ...rest };
}

const teacher = finished("teach", [1, 1, 1, 1, 1, 1, 1, 1, 0, 2]);
const student = finished("distil", [1, 1, 1, 1, 1, 1, 1, 0, 0, 0], {
  parameters: 11,
  samplesPerSecond: 640,
  softTargets: { ...noSoftTargets, requested: 48, cached: 8, bytes: 960, error: { examples: 4, sum: 0.02, max: 0.01 } },
  exported: {
    models: [
      {
        folder: "student-uint8",
        format: "uint8",
        bytes: 11,
        score: { examples: 10, errors: 4, accuracy: 0.6, crossEntropy: 0.3 },
        latencies: [latency],
      },
    ],
    latencies: [],
    pictures: [picture],
  },
});
const baseline = finished("baseline", [1, 1, 1, 1, 1, 1, 0, 0, 0, 0]);

test("the figures are those of the distil stage, the models those of their stages", () => {
  const report = buildReport(facts([teacher, student, baseline]));
  assert.equal(report.job, "by-hand");
  assert.deepEqual([report.seed, report.numerics, report.evaluationSplit], [3, "exact", "test"]);
  assert.deepEqual([report.steps, report.epochs, report.samplesPerSecond, report.wallSeconds], [7, 7 / 3, 640, 12.5]);
  assert.deepEqual(
    [report.teacher, report.student, report.baseline].map((model) => [model!.test.errors, model!.weightsSha256]),
    [
      [2, "teach-weights"],
      [3, "distil-weights"],
      [4, "baseline-weights"],
    ],
  );
  assert.equal(report.student.parameters, 11);
  assert.deepEqual(report.ledger, student.ledger);
  assert.deepEqual(report.softTargets, {
    ...{ requested: 48, cached: 8, bytes: 960, inputBytes: 0, hedged: 0, askedAgain: 0, secondsWaited: 0 },
    error: { examples: 4, meanKl: 0.005, maxKl: 0.01 },
    cache: "cached: the examples of distil are plain, every epoch has the same",
  });
  assert.deepEqual(
    report.stages.map(({ stage, steps, wallSeconds }) => [stage, steps, wallSeconds]),
    [
      ["teach", 3, 2],
      ["distil", 7, 2],
      ["baseline", 7, 2],
    ],
  );
  const [model] = report.models;
  assert.deepEqual(model, {
    stage: "distil",
    folder: "student-uint8",
    format: "uint8",
    bytes: 11,
    test: { examples: 10, errors: 4, accuracy: 0.6, crossEntropy: 0.3 },
    latencies: [latency],
  });
  assert.deepEqual(report.engine, engine);
  assert.deepEqual(report.workers, workers);
});

test("classes, confusions and disputes are those of the evaluations", () => {
  const report = buildReport(facts([teacher, student, baseline]));
  assert.deepEqual(report.student.classes[1], { examples: 10, errors: 3 });
  assert.deepEqual(report.student.confusions, [{ label: 1, predicted: 0, examples: 3 }]);
  // They differ on the eighth and the tenth; the tenth is the surer one.
  assert.deepEqual(
    report.disputes.map(({ example, picture }) => [example, picture]),
    [
      [9, null],
      [7, picture],
    ],
  );
  assert.equal(report.gapRecovered, 0.5, "4 errors without, 3 with, 2 of the teacher");
});

test("agreement counts equal predictions, right or wrong", () => {
  // Equal on the first seven and on the ninth, where both are wrong; both are wrong on the tenth, but not alike.
  assert.equal(buildReport(facts([teacher, student, baseline])).student.agreementWithTeacher, 0.8);
});

test("the verdict is a paired test, with its p-value", () => {
  const close = buildReport(facts([teacher, student, baseline]));
  assert.equal(close.verdict, "inconclusive");
  assert.deepEqual(
    [close.verdictDetail.studentOnly, close.verdictDetail.baselineOnly, close.verdictDetail.pValue],
    [1, 0, 1],
  );
  // Ten examples that only the student gets right: p = 2 · 2^-10.
  const sure = buildReport(
    facts([teacher, finished("distil", Array(10).fill(1)), finished("baseline", Array(10).fill(0))]),
  );
  assert.equal(sure.verdict, "beats");
  assert.ok(Math.abs(sure.verdictDetail.pValue! - 2 ** -9) < 1e-12);
});

test("without a baseline the verdict is open, and says why", () => {
  const report = buildReport(facts([teacher, student]));
  assert.equal(report.baseline, null);
  assert.equal(report.verdict, "inconclusive");
  assert.equal(report.verdictDetail.pValue, null);
  assert.match(report.verdictDetail.why, /baseline: false/);
});

test("a report survives JSON as it is", () => {
  const report = buildReport(facts([teacher, student, baseline]));
  assert.deepEqual(JSON.parse(JSON.stringify(report)), report);
});

test("a report of half a job, or of other examples, is none", () => {
  assert.throws(() => buildReport(facts([teacher])), { code: "internal", message: /teach and distil/ });
  const other = finished("distil", [1, 1]);
  assert.throws(() => buildReport(facts([teacher, other])), { code: "internal", message: /2 and 10 examples/ });
});
