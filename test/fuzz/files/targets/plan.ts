/** What was measured for a job, and predicted of its run. */
import { join } from "node:path";
import { keptPrediction, predictedRun } from "../../../../cli/savedplan.ts";
import { resultDeciding } from "../../../../core/jobdigest.ts";
import type { Calibration } from "../../../../core/plan/calibration.ts";
import { type Prediction, predict } from "../../../../core/plan/prediction.ts";
import { job } from "../samplerun.ts";
import { type Nasty, promise, type Target, textFolder, withFiles } from "../target.ts";

const cost = { laneSeconds: 0.01, stepSeconds: 0.001, gradient: 12, state: 24 };
const calibration: Calibration = {
  machine: { cores: 2, threads: 1, gpu: false, twoAtOnce: 1.8 },
  dataset: { trainExamples: 16, evaluationExamples: 4, classes: 2 },
  teach: cost,
  student: cost,
  forward: { teacherSeconds: 0.002, studentSeconds: 0.001 },
  weights: { teacher: 6, student: 6 },
  prepareSeconds: 1,
  copySecondsPerFloat: 1e-9,
};
const split = { students: 2, teachers: 1 };
const saved = (changed: object) =>
  JSON.stringify({ job: resultDeciding(job), calibration: { ...calibration, ...changed } });
const seed = textFolder({
  "job.plan.json": saved({}),
  "plan.json": JSON.stringify(predict(job, calibration, split)),
});
const refused = (files: Record<string, string>): Nasty => ({ ...withFiles(seed, files), must: "be refused" });

export const target: Target = {
  open: async () => ({
    seeds: [seed],
    nasties: {
      "a plan of null": withFiles(seed, { "job.plan.json": "null" }),
      "a plan of 5": withFiles(seed, { "job.plan.json": "5" }),
      "no machine": refused({ "job.plan.json": saved({ machine: null }) }),
      "seconds that are text": refused({ "job.plan.json": saved({ student: { ...cost, laneSeconds: "1" } }) }),
      "no examples": refused({
        "job.plan.json": saved({ dataset: { trainExamples: 0, evaluationExamples: 0, classes: 0 } }),
      }),
      "no cores": refused({ "job.plan.json": saved({ machine: { ...calibration.machine, cores: 0 } }) }),
      "two of nothing": refused({ "job.plan.json": saved({ machine: { ...calibration.machine, twoAtOnce: 0 } }) }),
      "a prediction of 5": refused({ "plan.json": "5" }),
      "a prediction without stages": refused({ "plan.json": '{"students":1,"teachers":1,"wallSeconds":1}' }),
      "a job of lists in lists": refused({
        "job.plan.json": `{"job":{"a":${"[".repeat(20_000)}${"]".repeat(20_000)}},"calibration":1}`,
      }),
      "a plan without an end": { files: {}, links: { "job.plan.json": "/dev/zero" }, must: "be refused" },
      "lists in lists": refused({ "plan.json": `{"stages":${"[".repeat(100_000)}${"]".repeat(100_000)}}` }),
    },
    async read(path) {
      for (const prediction of [await predictedRun(join(path, "job.yaml"), job, split), await keptPrediction(path)]) {
        promise(prediction === null || isPrediction(prediction), "it predicts no numbers");
      }
    },
  }),
};

function isPrediction({ wallSeconds, stages }: Prediction): boolean {
  return [wallSeconds, ...stages.flatMap((each) => [each.stepSeconds, each.wallSeconds])].every(Number.isFinite);
}
